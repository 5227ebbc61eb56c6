package marble

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// SVG draws figures, one below the other, on a transparent ground and in colours that can
// be read on light and on dark. Equal values have equal colours. The same figures give the
// same bytes. The error is a *SyntaxError of a lane's diagram, or w's.
func SVG(w io.Writer, figures ...Figure) error {
	var p picture
	var titles []string
	y := float64(margin)
	for i, f := range figures {
		if i > 0 {
			y += margin
		}
		below, err := p.figure(f, y)
		if err != nil {
			return err
		}
		y = below
		titles = append(titles, caption(f))
	}
	_, err := fmt.Fprintf(w, svg, num(p.width+margin), num(y+margin), escaped(strings.Join(titles, "; ")), p.body.String())
	return err
}

const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]s" height="%[2]s" viewBox="0 0 %[1]s %[2]s" role="img">
<title>%[3]s</title>
<style>
svg { color: #6e7781 }
@media (prefers-color-scheme: dark) { svg { color: #8d96a0 } }
text { font-family: ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: currentColor }
.title { font-size: 17px; font-weight: 600 }
.name { font-size: 14px; text-anchor: end }
.operator { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 15px; text-anchor: middle }
.marble { font-size: 14px; font-weight: 600; text-anchor: middle; fill: #1f2328 }
.small { font-size: 11px }
.legend { font-size: 13px }
.wait { font-size: 12px; text-anchor: middle }
.line { stroke: currentColor; stroke-width: 2; fill: none; stroke-linecap: round; stroke-linejoin: round }
.end { stroke: currentColor; stroke-width: 3.5; stroke-linecap: round }
.error { stroke: #e5534b; stroke-width: 3.5; stroke-linecap: round }
.zero { stroke: currentColor; stroke-width: 1.5; stroke-dasharray: 3 4 }
.box { stroke: currentColor; stroke-width: 2; fill: currentColor; fill-opacity: .1 }
</style>
%[4]s</svg>
`

// picture is an SVG in the making. It grows downwards.
type picture struct {
	body  bytes.Buffer
	width float64
}

func (p *picture) print(format string, args ...any) {
	fmt.Fprintf(&p.body, format+"\n", args...)
}

// figure draws f from y on, and returns where it ends.
func (p *picture) figure(f Figure, y float64) (below float64, err error) {
	in, err := f.diagrams(f.In, hotGrammar)
	if err != nil {
		return 0, err
	}
	out, err := f.diagrams(f.Out, plainGrammar)
	if err != nil {
		return 0, err
	}
	line := newTimeline(slices.Concat(in, out), nameWidth(slices.Concat(f.In, f.Out)))
	paint := &painter{inks: map[string]ink{}}
	p.width = max(p.width, line.right+margin/2, margin+charWidth*1.2*float64(columnsOf(f.Title)))
	if f.Title != "" {
		p.print(`<text class="title" x="%d" y="%s">%s</text>`, margin, num(y+16), escaped(f.Title))
		y += 34
	}
	for i, d := range in {
		y = p.lane(f.In[i].Name, d, line, paint, y, i == 0)
	}
	if f.Operator != "" {
		y = p.box(f.Operator, line, y+6)
	}
	for i, d := range out {
		y = p.lane(f.Out[i].Name, d, line, paint, y, i == 0 && len(in) == 0)
	}
	return p.legend(paint.legend, y), nil
}

func nameWidth(lanes []Lane) float64 {
	widest := 0
	for _, lane := range lanes {
		widest = max(widest, columnsOf(lane.Name))
	}
	if widest == 0 {
		return margin
	}
	return float64(margin + charWidth*widest + 12)
}

// box draws an operator across the lanes.
func (p *picture) box(operator string, line timeline, y float64) float64 {
	width := max(line.right-line.left, 9.1*float64(columnsOf(operator))+2*margin)
	p.width = max(p.width, line.left+width+margin/2)
	p.print(`<rect class="box" x="%s" y="%s" width="%s" height="%d" rx="8"/>`, num(line.left), num(y), num(width), boxHeight)
	p.print(`<text class="operator" x="%s" y="%s" dy=".35em">%s</text>`, num(line.left+width/2), num(y+boxHeight/2), escaped(operator))
	return y + boxHeight + 6
}

// lane draws one stream.
func (p *picture) lane(name string, d Diagram, line timeline, paint *painter, y float64, first bool) float64 {
	axis := y + laneHeight/2
	below := float64(stacked * depth(d))
	if name != "" {
		p.print(`<text class="name" x="%s" y="%s" dy=".35em">%s</text>`, num(line.left-12), num(axis), escaped(name))
	}
	p.print(`<path class="line" d="M%s %sH%sm-9 -6l9 6l-9 6"/>`, num(line.left), num(axis), num(line.right))
	for _, b := range line.breaks {
		p.wait(b, axis, first)
	}
	for _, run := range instants(d.Events) {
		p.instant(run, line.x[run[0].At], axis, paint)
	}
	return y + laneHeight + below
}

// wait breaks an axis where the time is too long to draw, and labels it with that time.
func (p *picture) wait(b breakAt, axis float64, labelled bool) {
	p.print(`<path class="line" d="M%s %sl6 -14m2 14l6 -14"/>`, num(b.x-7), num(axis+7))
	if labelled {
		p.print(`<text class="wait" x="%s" y="%s">%s</text>`, num(b.x), num(axis-13), spoken(b.wait))
	}
}

// instant draws what happens at one instant: marbles below each other, then the end.
func (p *picture) instant(run []Event, x, axis float64, paint *painter) {
	marbles := values(run)
	deep := float64(stacked * max(0, len(marbles)-1))
	for _, e := range run {
		switch e.Kind {
		case Completed:
			p.print(`<path class="end" d="M%s %sV%s"/>`, num(x), num(axis-radius-8), num(axis+deep+radius+8))
		case Subscribed:
			p.print(`<path class="zero" d="M%s %sV%s"/>`, num(x), num(axis-radius-12), num(axis+radius+12))
		}
	}
	for i, e := range marbles {
		p.marble(e, x, axis+float64(i*stacked), paint.ink(e))
	}
	if run[len(run)-1].Kind == Failed {
		if len(marbles) > 0 {
			x += 2*radius - 3
		}
		p.print(`<path class="error" d="M%s %sl18 18m0 -18l-18 18"/>`, num(x-9), num(axis-9))
	}
}

func (p *picture) marble(e Event, x, y float64, ink ink) {
	text, class := label(e), "marble"
	if columnsOf(text) > 2 {
		class += " small"
	}
	p.print(`<circle cx="%s" cy="%s" r="%d" fill="%s" stroke="%s" stroke-width="2"/>`, num(x), num(y), radius, ink.fill, ink.edge)
	p.print(`<text class="%s" x="%s" y="%s" dy=".35em">%s</text>`, class, num(x), num(y), escaped(text))
}

// label is the text in a marble: its value if that is short, else its letter.
func label(e Event) string {
	if e.Value == nil {
		return e.Letter
	}
	if text := fmt.Sprint(e.Value); text != "" && columnsOf(text) <= 3 && !strings.ContainsAny(text, "\r\n\t") {
		return text
	}
	return e.Letter
}

// legend writes what the letters stand for.
func (p *picture) legend(lines []string, y float64) float64 {
	for _, text := range lines {
		y += 20
		p.print(`<text class="legend" x="%d" y="%s">%s</text>`, margin, num(y), escaped(text))
		p.width = max(p.width, margin+charWidth*float64(columnsOf(text)))
	}
	return y
}

// spoken is a duration without units that are zero at its end: 1m, not 1m0s.
func spoken(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// caption is a figure in words.
func caption(f Figure) string {
	parts := []string{f.Title}
	for _, lane := range f.In {
		parts = append(parts, "in "+lane.Diagram)
	}
	parts = append(parts, f.Operator)
	for _, lane := range f.Out {
		parts = append(parts, "out "+lane.Diagram)
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

// num writes a coordinate: as short as can be, to a hundredth of a pixel.
func num(f float64) string {
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", f), "0"), ".")
}

func escaped(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a bytes.Buffer never fails
	return b.String()
}
