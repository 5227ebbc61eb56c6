package rover

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

func TestParseSlot(t *testing.T) {
	for line, want := range map[string]int{
		"0\r\n": 0, "3\r\n": 3, "13\r\n": 13, "013\r\n": 13, "0000000000000000013\r\n": 13,
		strconv.Itoa(math.MaxInt) + "\r\n": math.MaxInt,
	} {
		if got, err := ParseSlot([]byte(line)); err != nil || got != want {
			t.Errorf("ParseSlot(%q) = %d, %v, want %d", line, got, err, want)
		}
	}
}

func TestParseSlotTellsTheFirstWrongByte(t *testing.T) {
	tooLarge := strconv.FormatUint(uint64(math.MaxInt)+1, 10)
	for line, want := range map[string]string{
		"":                         `"" ends early, want digits, then CR LF`,
		"13":                       `"13" ends early, want digits, then CR LF`,
		"13\r":                     `"13\r" ends early, want digits, then CR LF`,
		"\r\n":                     `byte 1 is "\r", want a digit`,
		"\n":                       `byte 1 is "\n", want a digit`,
		"+3\r\n":                   `byte 1 is "+", want a digit`,
		"-3\r\n":                   `byte 1 is "-", want a digit`,
		" 3\r\n":                   `byte 1 is " ", want a digit`,
		"3 \r\n":                   `byte 2 is " ", want a digit or CR LF`,
		"3\x00\r\n":                `byte 2 is "\x00", want a digit or CR LF`,
		"3\n":                      `byte 2 is "\n", want a digit or CR LF`,
		"3\r\r\n":                  `byte 3 is "\r", want LF`,
		"1e3\r\n":                  `byte 2 is "e", want a digit or CR LF`,
		"13.5\r\n":                 `byte 3 is ".", want a digit or CR LF`,
		"٣\r\n":                    `byte 1 is "\xd9", want a digit`,
		"13\r\nHELLO":              `5 bytes behind the line's end`,
		"HTTP/1.1 200\r":           `byte 1 is "H", want a digit`,
		"00000000000000000013\r\n": `"00000000000000000013"… is more than an int holds`,
		tooLarge + "\r\n":          fmt.Sprintf("%q… is more than an int holds", tooLarge),
	} {
		_, err := ParseSlot([]byte(line))
		if !errors.Is(err, ErrProtocol) || err.Error() != "rover: not a slot line: "+want {
			t.Errorf("ParseSlot(%q): %v\nwant %s", line, err, want)
		}
	}
}

// pieces gives its strings one at a read, then err for ever.
type pieces struct {
	left []string
	err  error
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, p.err
	}
	n := copy(b, p.left[0])
	if p.left[0] = p.left[0][n:]; p.left[0] == "" {
		p.left = p.left[1:]
	}
	return n, nil
}

func TestReadSlotAtEverySplit(t *testing.T) {
	const line = "13\r\nHELLO"
	for i := range len(line) + 1 {
		for j := i; j <= len(line); j++ {
			buf := make([]byte, maxLine)
			r := &pieces{left: []string{line[:i], line[i:j], line[j:]}, err: io.EOF}
			slot, n, err := readSlot(r, buf)
			if slot != 13 || n != 4 || err != nil {
				t.Fatalf("split at %d and %d: slot %d, %d bytes, %v", i, j, slot, n, err)
			}
			if all := string(buf[:n]) + strings.Join(r.left, ""); all != line {
				t.Errorf("split at %d and %d: %q is left of %q", i, j, all, line)
			}
		}
	}
}

func TestReadSlotEnds(t *testing.T) {
	boom := errors.New("boom")
	for name, test := range map[string]struct {
		from io.Reader
		want error
		n    int
	}{
		"at once":             {&pieces{err: io.EOF}, io.ErrUnexpectedEOF, 0},
		"in mid-line":         {&pieces{left: []string{"13\r"}, err: io.EOF}, io.ErrUnexpectedEOF, 3},
		"with an error":       {&pieces{left: []string{"1"}, err: boom}, boom, 1},
		"with data and error": {iotest.DataErrReader(strings.NewReader("13")), io.ErrUnexpectedEOF, 2},
		"a reader that spins": {&pieces{}, io.ErrNoProgress, 0},
		"wrong at once":       {io.MultiReader(strings.NewReader("X"), neverRead{t}), ErrProtocol, 1},
		"wrong later":         {io.MultiReader(strings.NewReader("1X"), neverRead{t}), ErrProtocol, 2},
		"whole":               {io.MultiReader(strings.NewReader("1\r\n"), neverRead{t}), nil, 3},
		"endless digits":      {again('7'), ErrProtocol, map[int]int{32: 11, 64: 21}[strconv.IntSize]},
		"whole, with the end": {iotest.DataErrReader(strings.NewReader("1\r\n")), nil, 3},
	} {
		_, n, err := readSlot(test.from, make([]byte, maxLine))
		if !errors.Is(err, test.want) || n != test.n {
			t.Errorf("%s: %d bytes, %v, want %d, %v", name, n, err, test.n, test.want)
		}
	}
}

// A server that says nothing for long, again and again, does not wear us out:
// only reads in a row that bring nothing count.
func TestReadSlotForgetsIdleReads(t *testing.T) {
	var left []string
	for _, piece := range []string{"1", "2", "\r", "\n"} {
		left = append(append(left, make([]string, 60)...), piece)
	}
	if slot, _, err := readSlot(&pieces{left: left, err: io.EOF}, make([]byte, maxLine)); slot != 12 || err != nil {
		t.Errorf("slot %d, %v", slot, err)
	}
}

type neverRead struct{ t *testing.T }

func (r neverRead) Read([]byte) (int, error) {
	r.t.Error("read on after all was known")
	return 0, io.EOF
}

type again byte

func (r again) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(r)
	}
	return len(b), nil
}

// The parser against what the standard library makes of the same digits.
func FuzzParseSlot(f *testing.F) {
	for _, seed := range []string{"13\r\n", "013\r\n", "0\r\n", "9223372036854775808\r\n", "1\r\nX", "-1\r\n", "\r\n", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		got, err := ParseSlot(line)
		digits, whole := strings.CutSuffix(string(line), "\r\n")
		want, wrong := strconv.Atoi(digits)
		valid := whole && wrong == nil && len(digits) <= maxDigits && strings.Trim(digits, "0123456789") == ""
		if valid != (err == nil) || valid && got != want {
			t.Fatalf("ParseSlot(%q) = %d, %v, want %d, valid %v", line, got, err, want, valid)
		}
		if err != nil && !errors.Is(err, ErrProtocol) {
			t.Fatalf("%v does not wrap ErrProtocol", err)
		}
	})
}

// The bounded reader must not care how the bytes arrive.
func FuzzReadSlot(f *testing.F) {
	f.Add([]byte("13\r\nHELLO"), []byte{1, 1, 1})
	f.Add([]byte("13\r"), []byte{2})
	f.Add([]byte("12345678901234567890\r\n"), []byte{3, 0, 9})
	f.Add([]byte("A"), make([]byte, 200)) // 200 reads of nothing before the wrong byte
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		var split []string
		rest := string(data)
		for _, cut := range cuts {
			at := min(int(cut), len(rest))
			split, rest = append(split, rest[:at]), rest[at:]
		}
		split = append(split, rest)
		buf := make([]byte, maxLine)
		from := &pieces{left: split, err: io.EOF}
		slot, n, err := readSlot(from, buf)
		if all := string(buf[:n]) + strings.Join(from.left, ""); all != string(data) {
			t.Fatalf("%q became %q", data, all)
		}
		wholeSlot, wholeSize, wholeErr := scanSlot(data)
		switch {
		case wholeErr != nil:
			if !errors.Is(err, ErrProtocol) && err != io.ErrNoProgress {
				t.Fatalf("%q in pieces: %v, whole: %v", data, err, wholeErr)
			}
		case wholeSize == 0:
			if err != io.ErrUnexpectedEOF && err != io.ErrNoProgress {
				t.Fatalf("%q in pieces: %v, want it to end early", data, err)
			}
		case slot != wholeSlot || n != wholeSize || err != nil && err != io.ErrNoProgress:
			t.Fatalf("%q in pieces: slot %d, %d bytes, %v, whole: %d, %d", data, slot, n, err, wholeSlot, wholeSize)
		}
	})
}

func BenchmarkParseSlot(b *testing.B) {
	line := []byte("13\r\n")
	b.ReportAllocs()
	for b.Loop() {
		if slot, err := ParseSlot(line); slot != 13 || err != nil {
			b.Fatal(slot, err)
		}
	}
}
