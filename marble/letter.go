package marble

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// reserved are the characters that mean something; all other printable ones are values.
const reserved = "-|#()[]^! "

// characters cuts a text into what a reader sees as one character each: a letter with its
// accents, an emoji with its skin tone, its joiners or its second half of a flag.
func characters(text string) []string {
	all := make([]string, 0, len(text))
	for text != "" {
		n := 1
		if text[0] >= utf8.RuneSelf || len(text) > 1 && text[1] >= utf8.RuneSelf {
			n = firstCharacter(text)
		}
		all = append(all, text[:n])
		text = text[n:]
	}
	return all
}

// firstCharacter is the length in bytes of the first character of a text. The rules are
// the part of Unicode's grapheme clusters (UAX 29) that letters and emoji need.
func firstCharacter(text string) int {
	first, n := utf8.DecodeRuneInString(text)
	if strings.ContainsRune(reserved, first) {
		return n // takes no mark: a mark after it is a character of its own
	}
	if isFlagHalf(first) {
		if second, size := utf8.DecodeRuneInString(text[n:]); isFlagHalf(second) {
			n += size
		}
	}
	for n < len(text) {
		r, size := utf8.DecodeRuneInString(text[n:])
		switch {
		case r == zeroWidthJoiner:
			joined, more := utf8.DecodeRuneInString(text[n+size:])
			if more == 0 || !isSymbol(joined) {
				return n
			}
			n += size + more
		case unicode.Is(unicode.M, r), isSkinTone(r):
			n += size
		default:
			return n
		}
	}
	return n
}

const zeroWidthJoiner = '\u200d'

func isFlagHalf(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }
func isSkinTone(r rune) bool { return r >= 0x1f3fb && r <= 0x1f3ff }
func isSymbol(r rune) bool   { return unicode.Is(unicode.So, r) }

// isLetter reports whether a character can stand for a value. Half a flag and a bare skin
// tone cannot: they would become part of their neighbour.
func isLetter(character string) bool {
	r, size := utf8.DecodeRuneInString(character)
	if isSkinTone(r) || isFlagHalf(r) && size == len(character) {
		return false
	}
	if r == utf8.RuneError && size <= 1 || strings.ContainsRune(reserved, r) {
		return false
	}
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.M, r)
}

// columnsOf is how wide a text is in a terminal, in columns: emoji and the scripts of
// East Asia take two.
func columnsOf(text string) int {
	width := 0
	for _, character := range characters(text) {
		r, _ := utf8.DecodeRuneInString(character)
		width++
		if isWide(r) || strings.ContainsRune(character, '\ufe0f') {
			width++
		}
	}
	return width
}

func isWide(r rune) bool {
	return r >= 0x1f300 && r <= 0x1faff || isFlagHalf(r) ||
		unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana)
}
