package marble

import (
	"reflect"
	"sync"
	"time"
)

// snapshot copies a value, so that what is compared is what was emitted, whatever is done to
// it later. It copies data: numbers, strings, and slices, maps, pointers and structs of them.
// All else stays itself: errors, which are compared by identity, and what has a lock, a
// channel or a function in it. Unexported fields are copied, but not what they point to.
func snapshot(v any) (was any, isCopy bool) {
	switch v.(type) {
	case nil, bool, string, int, int64, uint64, float64, time.Time, time.Duration:
		return v, false
	}
	if what := natureOf(reflect.TypeOf(v)); !what.data || !what.refers {
		return v, false
	}
	return copier{}.copy(reflect.ValueOf(v)).Interface(), true
}

// nature is what a type means for a snapshot.
type nature struct {
	data   bool // it can be copied
	refers bool // a plain copy would share something
}

var natures sync.Map // of reflect.Type to nature

func natureOf(t reflect.Type) nature {
	if known, ok := natures.Load(t); ok {
		return known.(nature)
	}
	n := examine(t, map[reflect.Type]bool{})
	natures.Store(t, n)
	return n
}

var (
	errorType = reflect.TypeFor[error]()
	timeType  = reflect.TypeFor[time.Time]()
)

// examine finds a type's nature. Of a type that refers to itself, begun is true meanwhile.
func examine(t reflect.Type, begun map[reflect.Type]bool) nature {
	if t == timeType || begun[t] {
		return nature{data: true}
	}
	begun[t] = true
	switch kind := t.Kind(); {
	case kind != reflect.Interface && t.Implements(errorType):
		return nature{}
	case kind == reflect.Chan || kind == reflect.Func || kind == reflect.UnsafePointer:
		return nature{}
	case kind == reflect.Slice || kind == reflect.Pointer:
		return nature{data: examine(t.Elem(), begun).data, refers: true}
	case kind == reflect.Map:
		return nature{data: examine(t.Key(), begun).data && examine(t.Elem(), begun).data, refers: true}
	case kind == reflect.Interface: // what is in it is looked at when it is copied
		return nature{data: true, refers: true}
	case kind == reflect.Array:
		return examine(t.Elem(), begun)
	case kind == reflect.Struct:
		if t.PkgPath() == "sync" || t.PkgPath() == "sync/atomic" {
			return nature{}
		}
		all := nature{data: true}
		for i := range t.NumField() {
			field := examine(t.Field(i).Type, begun)
			all.data = all.data && field.data
			all.refers = all.refers || field.refers
		}
		return all
	}
	return nature{data: true}
}

// copier copies a value. It has the copy of each pointer that it met.
type copier map[any]reflect.Value

func (c copier) copy(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() || !natureOf(v.Elem().Type()).data {
			return v
		}
		return c.copy(v.Elem())
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		if known, ok := c[v.Interface()]; ok {
			return known
		}
		to := reflect.New(v.Type().Elem())
		c[v.Interface()] = to
		to.Elem().Set(c.copy(v.Elem()))
		return to.Convert(v.Type())
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		to := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			to.Index(i).Set(c.copy(v.Index(i)))
		}
		return to
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		to := reflect.MakeMapWithSize(v.Type(), v.Len())
		for entries := v.MapRange(); entries.Next(); {
			to.SetMapIndex(c.copy(entries.Key()), c.copy(entries.Value()))
		}
		return to
	case reflect.Array, reflect.Struct:
		return c.parts(v)
	}
	return v
}

// parts copies an array or a struct: as it is, then what its parts refer to.
func (c copier) parts(v reflect.Value) reflect.Value {
	to := reflect.New(v.Type()).Elem()
	to.Set(v)
	if v.Kind() == reflect.Array {
		for i := range v.Len() {
			to.Index(i).Set(c.copy(v.Index(i)))
		}
		return to
	}
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			to.Field(i).Set(c.copy(v.Field(i)))
		}
	}
	return to
}
