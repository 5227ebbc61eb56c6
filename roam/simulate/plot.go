package simulate

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Plot draws how connections spread over the servers after an event: for each
// result a band from the least to the most loaded server and the mean, as an
// SVG that can be read on light and on dark. The results are of one fleet and
// event and of different policies, at most two. The same results give the same
// bytes. The error is w's, or that there is nothing to draw.
func Plot(w io.Writer, results ...Result) error {
	if len(results) == 0 || len(results) > 2 {
		return fmt.Errorf("simulate: a plot has one or two results, got %d", len(results))
	}
	p := newPlot(results)
	p.axes()
	for i := len(results) - 1; i >= 0; i-- { // the first on top
		p.band(i, results[i])
	}
	for i, r := range results {
		p.legend(i, r)
	}
	r := results[0]
	title := fmt.Sprintf("%d clients × %d connections, %d servers: %v", r.Fleet.Clients, r.Fleet.Max, r.Fleet.Servers, r.Event)
	_, err := fmt.Fprintf(w, svg, width, height, html.EscapeString(title), html.EscapeString(subtitle(r)), left, p.body.String())
	return err
}

const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img">
<title>%[3]s</title>
<style>
text { font-family: ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 13px; fill: currentColor }
.title { font-size: 17px; font-weight: 600 }
.name { font-weight: 600 }
.end { text-anchor: end }
.mid { text-anchor: middle }
.grid { stroke: currentColor; stroke-opacity: .2 }
.axis { stroke: currentColor; stroke-width: 1.5; fill: none }
.event { stroke: currentColor; stroke-dasharray: 2 4; stroke-width: 1.5 }
.mean { stroke: currentColor; stroke-width: 1.5; stroke-dasharray: 6 4; fill: none }
svg { color: #57606a }
.p0 { fill: #0969da; stroke: #0969da }
.p1 { fill: #bc4c00; stroke: #bc4c00 }
@media (prefers-color-scheme: dark) {
svg { color: #9ea7b3 }
.p0 { fill: #58a6ff; stroke: #58a6ff }
.p1 { fill: #f0883e; stroke: #f0883e }
}
.band { fill-opacity: .28; stroke: none }
.edge { stroke-width: 1.5; fill: none }
</style>
<text class="title" x="%[5]d" y="32">%[3]s</text>
<text x="%[5]d" y="53">%[4]s</text>
%[6]s</svg>
`

// Where things are, in pixels.
const (
	width, height = 760, 424
	left, right   = 56, 736
	top, bottom   = 72, 330
)

type plot struct {
	body       bytes.Buffer
	from, to   float64 // intervals
	most, step float64 // connections
	every      float64 // intervals
}

func newPlot(results []Result) *plot {
	p := &plot{to: 4}
	for _, r := range results {
		settled := r.Settled.Worst
		if math.IsInf(settled, 1) {
			settled = plotted
		}
		p.to = max(p.to, math.Ceil(1.3*settled+1))
	}
	p.to = min(p.to, plotted)
	for _, r := range results {
		if len(r.Bands) > 0 && r.Bands[0].At < 0 {
			p.from = -0.05 * p.to
		}
		last := r.Bands[len(r.Bands)-1]
		p.to = min(p.to, last.At)
	}
	for _, r := range results {
		for _, b := range r.Bands {
			if b.At <= p.to {
				p.most = max(p.most, 1.08*b.Most)
			}
		}
	}
	p.step = nice(p.most / 5)
	p.every = max(1, nice(p.to/10))
	return p
}

// nice is 1, 2 or 5 times a power of ten, at least v.
func nice(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 5} {
		if n*power >= v {
			return n * power
		}
	}
	return 10 * power
}

func (p *plot) x(at float64) float64 { return left + (at-p.from)/(p.to-p.from)*(right-left) }
func (p *plot) y(n float64) float64  { return bottom - n/p.most*(bottom-top) }

func (p *plot) draw(format string, args ...any) { fmt.Fprintf(&p.body, format+"\n", args...) }

func (p *plot) axes() {
	for n := 0.0; n <= p.most; n += p.step {
		p.draw(`<path class="grid" d="M%d %.1fH%d"/><text class="end" x="%d" y="%.1f">%g</text>`, left, p.y(n), right, left-8, p.y(n)+4.5, n)
	}
	for at := 0.0; at <= p.to; at += p.every {
		p.draw(`<path class="axis" d="M%.1f %dv5"/><text class="mid" x="%.1f" y="%d">%g</text>`, p.x(at), bottom, p.x(at), bottom+20, at)
	}
	p.draw(`<path class="axis" d="M%d %dH%d"/>`, left, bottom, right)
	if p.from < 0 {
		p.draw(`<path class="event" d="M%.1f %dV%d"/>`, p.x(0), bottom, top)
	}
	p.draw(`<text x="%d" y="%d">intervals since the event</text>`, left, bottom+40)
	p.draw(`<text class="end" x="%d" y="%d">band: least to most loaded server; dashes: mean; dot: settled</text>`, right, bottom+40)
	p.draw(`<text class="mid" transform="rotate(-90 14 %d)" x="14" y="%d">connections a server</text>`, (top+bottom)/2, (top+bottom)/2)
}

// band draws one result.
func (p *plot) band(i int, r Result) {
	var up, down, mean []string
	for _, b := range r.Bands {
		if b.At > p.to {
			break
		}
		x := p.x(b.At)
		if b.At < 0 { // the event is at 0, and what it does is done at once
			x = p.x(p.from)
		}
		up = append(up, fmt.Sprintf("%.1f %.1f", x, p.y(b.Most)))
		down = append([]string{fmt.Sprintf("%.1f %.1f", x, p.y(b.Least))}, down...)
		mean = append(mean, fmt.Sprintf("%.1f %.1f", x, p.y(b.Mean)))
		if b.At < 0 {
			up = append(up, fmt.Sprintf("%.1f %.1f", p.x(0), p.y(b.Most)))
			down = append([]string{fmt.Sprintf("%.1f %.1f", p.x(0), p.y(b.Least))}, down...)
			mean = append(mean, fmt.Sprintf("%.1f %.1f", p.x(0), p.y(b.Mean)))
		}
	}
	p.draw(`<path class="p%d band" d="M%sL%sZ"/>`, i, strings.Join(up, "L"), strings.Join(down, "L"))
	p.draw(`<path class="p%d edge" d="M%s"/><path class="p%d edge" d="M%s"/>`, i, strings.Join(up, "L"), i, strings.Join(down, "L"))
	if i == 0 {
		p.draw(`<path class="mean" d="M%s"/>`, strings.Join(mean, "L"))
	}
	if last := r.Bands[len(r.Bands)-1]; r.Settled.Median <= p.to {
		p.draw(`<circle class="p%d" cx="%.1f" cy="%.1f" r="5"/>`, i, p.x(r.Settled.Median), p.y(last.Mean))
	}
}

// legend says in words what a band shows.
func (p *plot) legend(i int, r Result) {
	y := bottom + 66 + 20*i
	words := "settled after " + number(r.Settled.Median)
	if math.IsInf(r.Settled.Median, 1) {
		words = "never settled"
	}
	words += fmt.Sprintf(", %.0f %% of all connections moved", 100*r.Churn.Median)
	if !r.Event.Cold() {
		words += fmt.Sprintf(", %.2f dials an interval at rest", r.Steady)
	}
	p.draw(`<rect class="p%d" x="%d" y="%d" width="14" height="10"/><text x="%d" y="%d"><tspan class="name">%s</tspan>: %s</text>`,
		i, left, y-9, left+22, y, r.Policy.Name, words)
}

func subtitle(r Result) string {
	usage := r.Event.kind().usage
	return strings.ToUpper(usage[:1]) + usage[1:] + fmt.Sprintf("; median of %d seeds", r.Seeds)
}
