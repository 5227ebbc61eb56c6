package marble

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/google/go-cmp/cmp"
)

// equality says whether what was got is what was wanted, and how two values differ.
type equality struct {
	equal   func(want, got any) bool
	options cmp.Options // for the differences
}

var byDefault = equality{equal: deepEqual, options: everyField}

// everyField lets go-cmp look at unexported fields.
var everyField = cmp.Options{cmp.Exporter(func(reflect.Type) bool { return true })}

// Equal compares values with a function of one's own: for values that reflect.DeepEqual has
// no word for, such as functions, or protobuf messages with proto.Equal. Errors that
// errors.Is finds equal are equal in any case. In ToEqual, want is what the other emitted.
func Equal(equal func(want, got any) bool) Option {
	return func(e *Expectation) { e.equality.equal = equal }
}

// Compare compares values with go-cmp and these options, instead of with reflect.DeepEqual:
// cmpopts.EquateNaNs, cmpopts.IgnoreFields, protocmp.Transform and their like. As everywhere
// in go-cmp an Equal method of the value decides, as that of a time.Time does.
func Compare(options ...cmp.Option) Option {
	all := cmp.Options(slices.Clone(options))
	return func(e *Expectation) {
		e.equality = equality{
			equal:   func(want, got any) bool { return cmp.Equal(want, got, all) },
			options: all,
		}
	}
}

// deepEqual is reflect.DeepEqual, but that NaN is NaN.
func deepEqual(want, got any) bool {
	switch w := want.(type) { // most values are one of these
	case string:
		g, ok := got.(string)
		return ok && w == g
	case int:
		g, ok := got.(int)
		return ok && w == g
	case float64:
		g, ok := got.(float64)
		return ok && (w == g || w != w && g != g)
	case float32:
		g, ok := got.(float32)
		return ok && (w == g || w != w && g != g)
	}
	return reflect.DeepEqual(want, got)
}

// events reports whether two events are the same but for their time.
func (q equality) events(want, got Event) bool {
	if want.Kind == Next && got.Kind == Next {
		return q.values(want.Value, got.Value)
	}
	return want.Kind == got.Kind && byDefault.values(want.Value, got.Value)
}

func (q equality) values(want, got any) bool {
	if w, ok := want.(error); ok {
		if g, ok := got.(error); ok && errors.Is(g, w) {
			return true
		}
	}
	if within, ok := got.(*recording); ok {
		return q.inner(want, within)
	}
	if _, ok := want.(*recording); ok {
		return false
	}
	return q.equal(want, got)
}

// inner compares an inner observable: with a cold source's diagram, or with what another
// inner observable does, for ToEqual.
func (q equality) inner(want any, got *recording) bool {
	diagram, ok := innerDiagram(want)
	if !ok {
		return q.equal(want, got.source)
	}
	seen := got.sinceSubscribed()
	return slices.EqualFunc(diagram.Events, seen.Events, func(w, g Event) bool { return w.At == g.At && q.events(w, g) })
}

// innerDiagram is what an inner observable is, or should be.
func innerDiagram(v any) (d Diagram, ok bool) {
	switch v := v.(type) {
	case *recording:
		return v.sinceSubscribed(), true
	case *Source:
		return v.diagram, !v.hot
	}
	return Diagram{}, false
}

// hasInner reports whether a test expects inner observables by their diagrams.
func hasInner(values Values) bool {
	for _, v := range values {
		if _, ok := innerDiagram(v); ok {
			return true
		}
	}
	return false
}

// differences has a line for each part in which two values differ, as far as go-cmp can say.
func (q equality) differences(want, got any) (lines []string) {
	if want == nil || reflect.TypeOf(want) != reflect.TypeOf(got) || reflect.TypeOf(want) == reflect.TypeFor[*recording]() {
		return nil
	}
	defer func() {
		if recover() != nil { // go-cmp panics on what it was given no option for
			lines = nil
		}
	}()
	r := &partsReporter{}
	cmp.Equal(want, got, q.options, cmp.Reporter(r))
	return r.parts
}

// partsReporter is a reporter of go-cmp's that notes which parts differ.
type partsReporter struct {
	path  cmp.Path
	parts []string
}

func (r *partsReporter) PushStep(step cmp.PathStep) { r.path = append(r.path, step) }
func (r *partsReporter) PopStep()                   { r.path = r.path[:len(r.path)-1] }

func (r *partsReporter) Report(result cmp.Result) {
	if result.Equal() || len(r.path) < 2 { // the whole is no part
		return
	}
	name := ""
	for _, step := range r.path {
		switch step := step.(type) {
		case cmp.StructField:
			name += "." + step.Name()
		case cmp.SliceIndex, cmp.MapIndex:
			name += step.String()
		}
	}
	want, got := r.path.Last().Values()
	if name != "" {
		r.parts = append(r.parts, fmt.Sprintf("  %s: want %s, got %s", name, showPart(want), showPart(got)))
	}
}

func showPart(v reflect.Value) string {
	switch {
	case !v.IsValid():
		return "none"
	case v.CanInterface():
		return show(v.Interface())
	default:
		return fmt.Sprint(v)
	}
}
