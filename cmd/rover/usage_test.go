package main

import (
	"bytes"
	"strings"
	"testing"
)

// For wrong flags the exit code is 2, and one line says what would be right.
func TestWrongFlags(t *testing.T) {
	for args, want := range map[string]string{
		"fly":                                    `there is no command "fly"; want rove, serve, demo, front, proxy or simulate`,
		"--fly":                                  `there is no flag --fly; see "rover --help"`,
		"rove":                                   "no server to rove over; want at least one --server [ID=]HOST:PORT",
		"rove now":                               `rove takes flags only, got "now"; see "rover rove --help"`,
		"rove --fly":                             `there is no flag --fly; see "rover rove --help"`,
		"roev":                                   `there is no command "roev"; did you mean rove?`,
		"help roev":                              `there is no command "roev"; did you mean rove?`,
		"rove --sever h:1":                       `there is no flag --sever; did you mean --server? see "rover rove --help"`,
		"rove --intervall=1s":                    "did you mean --interval?",
		"rove --server a=h:1,h":                  "missing port in address",
		"rove --server a=h:1,a=h:2":              `the id "a" is given twice`,
		"rove --servers /none":                   "--servers: open /none: no such file",
		"rove --servers main.go":                 `want {"id": "host:port"}`,
		"front":                                  "no server to stand before; want --backend HOST:PORT",
		"front --backend h":                      `--backend "h": missing port in address`,
		"front --backend h/p":                    "or unix:/path",
		"front --backend unix:":                  "the path is empty, want unix:/path",
		"front --backend h:1 --mode both":        `--mode "both": want eager or lazy`,
		"front --backend h:1 --listen x":         `--listen "x": missing port in address`,
		"front --backend h:1 --limit -1":         "want a whole number from 0 up",
		"front --backend h:1 --proxy-protocol 2": `--proxy-protocol "2": want v1 or v2`,
		"front --backend h:1 --listen :0 --tls-client-ca a": "--tls-client-ca needs a certificate of our own too",
		"front --backend h:1 --weight 0":                    "want a number above 0, such as 2 or 0.5",
		"front --backend h:1 --weight NaN":                  "want a number above 0",
		"front --backend h:1 --slow-start 0":                "want a duration above 0",
		"proxy":                                             "no server to rove over; want at least one --server",
		"proxy --server h:1 --max 1":                        "--idle must be at most --max, 1, got 2",
		"proxy --server h:1 --tls-cert a":                   "--tls-cert needs the key too",
		"proxy --server h:1 --max-age x":                    "want a duration above 0",
		"rove --server":                                     `needs an argument: --server; see "rover rove --help"`,
		"rove --server a=h":                                 `"a=h" for --server: missing port in address, want HOST:PORT`,
		"rove --server h:1 --server h:1":                    "given twice",
		"rove --server h:1 --interval 0s":                   "want a duration above 0, such as 200ms",
		"rove --server h:1 --interval soon":                 `"soon" for --interval: want a duration above 0`,
		"rove --dial-timeout -1s":                           "want a duration above 0",
		"rove --keep-below -1":                              "want a whole number from 0 up",
		"rove --json=perhaps":                               "want true, false or nothing",
		"rove --server h:1 --tls-ca /none":                  "--tls-ca: open /none: no such file or directory",
		"rove --server h:1 --tls-ca tls.go":                 "--tls-ca: there is no certificate in tls.go, want PEM",
		"serve --listen 4040":                               `--listen "4040": missing port in address, want HOST:PORT`,
		"serve --listen 127.0.0.1:70000":                    "the port must be a number from 0 to 65535",
		"serve --for x":                                     "want a duration",
		"serve --tls-cert a":                                "--tls-cert needs the key too: --tls-key FILE",
		"serve --tls-key a":                                 "--tls-key needs the certificate too: --tls-cert FILE",
		"serve --tls-cert /a --tls-key /b":                  "--tls-cert, --tls-key: open /a: no such file",
		"demo --servers 0":                                  "want a whole number from 1 to 12",
		"demo --servers 13":                                 "want a whole number from 1 to 12",
		"demo --servers three":                              `"three" for --servers: want a whole number`,
		"demo --for 0":                                      "want a duration above 0",
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
		"help rove":                            "--keep-below N",
		"rove help":                            "--keep-below N",
		"help":                                 "serve slots, and print",
		"front --help":                         "--backend HOST:PORT",
		"proxy --help":                         "--max-age TIME",
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
