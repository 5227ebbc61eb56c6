package main

import (
	"bytes"
	"strings"
	"testing"
)

// For wrong flags the exit code is 2, and one line says what would be right.
func TestWrongFlags(t *testing.T) {
	for args, want := range map[string]string{
		"fly":                               `there is no command "fly"; want rove, serve, demo or simulate`,
		"--fly":                             `flag provided but not defined: -fly; see "rover --help"`,
		"rove":                              "no server to rove over; want at least one --server [ID=]HOST:PORT",
		"rove now":                          `rove takes flags only, got "now"; see "rover rove --help"`,
		"rove --fly":                        `not defined: -fly; see "rover rove --help"`,
		"rove --server":                     `needs an argument: --server; see "rover rove --help"`,
		"rove --server a=h":                 `"a=h" for flag -server: missing port in address, want HOST:PORT`,
		"rove --server h:1 --server h:1":    "given twice",
		"rove --server h:1 --interval 0s":   "want a duration above 0, such as 200ms",
		"rove --server h:1 --interval soon": `"soon" for flag -interval: want a duration above 0`,
		"rove --dial-timeout -1s":           "want a duration above 0",
		"rove --keep-below -1":              "want a whole number from 0 up",
		"rove --json=perhaps":               "want true, false or nothing",
		"rove --server h:1 --tls-ca /none":  "--tls-ca: open /none: no such file or directory",
		"rove --server h:1 --tls-ca tls.go": "--tls-ca: there is no certificate in tls.go, want PEM",
		"serve --listen 4040":               `--listen "4040": missing port in address, want HOST:PORT`,
		"serve --listen 127.0.0.1:70000":    "the port must be a number from 0 to 65535",
		"serve --for x":                     "want a duration",
		"serve --tls-cert a":                "--tls-cert needs the key too: --tls-key FILE",
		"serve --tls-key a":                 "--tls-key needs the certificate too: --tls-cert FILE",
		"serve --tls-cert /a --tls-key /b":  "--tls-cert, --tls-key: open /a: no such file",
		"demo --servers 0":                  "want a whole number from 1 to 12",
		"demo --servers 13":                 "want a whole number from 1 to 12",
		"demo --servers three":              `"three" for flag -servers: want a whole number`,
		"demo --for 0":                      "want a duration above 0",
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"rover"}, strings.Fields(args)...), &stdout, &stderr)
		text := stderr.String()
		if code != 2 || stdout.Len() > 0 || !strings.Contains(text, want) ||
			!strings.HasPrefix(text, "rover: ") || strings.Index(text, "\n") != len(text)-1 {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q, want one line with %q", args, code, stdout.String(), text, want)
		}
	}
}

func TestHelpVersionAndCompletion(t *testing.T) {
	for args, want := range map[string]string{
		"":                                     "serve slots, and print",
		"--help":                               "watch clients balance themselves",
		"--version":                            "rover version " + version(),
		"rove --help":                          "--keep-below N",
		"serve --help":                         "--listen HOST:PORT",
		"demo --help":                          "--interval TIME  TIME of a client's interval (default: 200ms)",
		"completion bash":                      "complete -o",
		"demo --s --generate-shell-completion": "--servers",
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"rover"}, strings.Fields(args)...), &stdout, &stderr)
		if code != 0 || stderr.Len() > 0 || !strings.Contains(stdout.String(), want) {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", args, code, stdout.String(), stderr.String())
		}
	}
}

// For an address that is taken the exit code is 1.
func TestCannotListen(t *testing.T) {
	l := listen(t)
	defer l.Close()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"rover", "serve", "--listen", l.Addr().String()}, &stdout, &stderr)
	if code != 1 || stdout.Len() > 0 || !strings.Contains(stderr.String(), "address already in use") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}
