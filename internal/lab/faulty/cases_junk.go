//go:build !plan9

package faulty

import (
	"math"
	"strconv"
	"strings"
)

// What the reference was measured to do about nonsense.
const refJunk = "a half-open socket, for as long as the server holds on"

// junkCases are the lines that are wrong. The server keeps the connection: a client that waits for
// more than the first wrong byte waits for ever.
func junkCases() []Case {
	var cases []Case
	add := func(name, wrong, rest string) {
		cases = append(cases, Case{
			Name: "junk/" + name, Group: Junk, Script: Script{Send(wrong + rest)},
			Want: protocol(wrong),
		})
	}
	add("empty line", "\r", "\n")
	add("lone LF", "\n", "")
	add("lone CR", "\r", "")
	add("LF without CR", "13\n", "")
	add("CR without LF", "13\rX", "")
	add("two CRs", "13\r\r", "\n")
	add("plus", "+", "13\r\n")
	add("minus", "-", "13\r\n")
	add("space before", " ", "13\r\n")
	add("space behind", "13 ", "\r\n")
	add("tab before", "\t", "13\r\n")
	add("NUL before", "\x00", "13\r\n")
	add("NUL behind", "13\x00", "\r\n")
	add("exponent", "1e", "3\r\n")
	add("fraction", "13.", "5\r\n")
	add("hexadecimal", "0x", "d\r\n")
	add("underscore", "1_", "3\r\n")
	add("thousands", "1,", "300\r\n")
	add("before the digits", "/", "\r\n") // the neighbours of 0 and 9
	add("behind the digits", ":", "\r\n")
	add("UTF-8 digits, fullwidth", "\xef", "\xbc\x91\xef\xbc\x93\r\n")
	add("UTF-8 digits, Arabic", "1\xd9", "\xa3\r\n")
	add("byte order mark", "\xef", "\xbb\xbf13\r\n")
	add("not a number", "N", "aN\r\n")
	add("binary", "\x8f", "\x02\xff\xfe\x00\x01\x7f\x80\xc0\x0d\x0a\x1b\x9c\xe2\x28\xa1\xf0\x9f\x98\x80")
	add("HTTP greeter", "H", "TTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	add("TLS greeter", "\x16", "\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03") // the head of a ServerHello
	add("TLS alert", "\x15", "\x03\x01\x00\x02\x02\x46")                   // fatal, protocol version
	add("SSH greeter", "S", "SH-2.0-OpenSSH_9.6\r\n")
	add("SMTP greeter", "220 ", "mail.invalid ESMTP\r\n")
	add("FTP greeter", "220-", "Welcome\r\n220 ready\r\n")

	cases = append(cases,
		Case{Name: "junk/nonsense", Group: Junk, Script: Script{Send("nonsense\r\n")}, Want: protocol("n"), Reference: refJunk},
		Case{Name: "junk/in pieces", Group: Junk, Script: Script{Pieces("1", "x")}, Want: protocol("1x")},
		Case{Name: "junk/flood", Group: Junk, Script: Script{Endless("\xaa\x55")}, Want: protocol("\xaa")},
		Case{Name: "junk/then closed", Group: Junk, Script: Script{Send("nonsense\r\n"), Close()}, Want: protocol("n")},
		Case{Name: "junk/then half-closed", Group: Junk, Script: Script{Send("nonsense\r\n"), HalfClose()}, Want: protocol("n")},
	)

	digits := func(name, reference, fits string, script ...Step) {
		cases = append(cases, Case{Name: "digits/" + name, Group: Junk, Script: script, Want: protocol(fits), Reference: reference})
	}
	tooLarge := strconv.FormatUint(uint64(math.MaxInt)+1, 10)
	digits("one too large", "", tooLarge, Send(tooLarge+"\r\n"))
	digits("400", refDigits, strings.Repeat("9", len(tooLarge)), Send(strings.Repeat("9", 400)+"\r\n"))
	digits("endless", "", strings.Repeat("7", len(tooLarge)), Endless("7"))
	digits("endless zeros", "", strings.Repeat("0", maxDigits+1), Endless("0"))
	digits("one zero too many", "", strings.Repeat("0", maxDigits+1), Send(strings.Repeat("0", maxDigits+1)+"\r\n"))
	return cases
}
