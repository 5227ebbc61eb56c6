package discover

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/reactivex/rxgo/v2"
)

// Parse makes a source of a text, as a flag or a setting has it: dns://name:port,
// srv://name, or file:path. The error is one line and says what is wrong, also with
// an option.
func Parse(text string, opts ...Option) (rxgo.Observable, error) {
	if _, err := configure(opts); err != nil {
		return nil, err
	}
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		if path = strings.TrimPrefix(path, "//"); path == "" || strings.ContainsAny(path, "\x00\n") {
			return nil, fmt.Errorf("discover: %q must be file:path", text)
		}
		return File(path, opts...), nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("discover: %q must be dns://name:port, srv://name or file:path", text)
	}
	bare := u.Path == "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
	switch u.Scheme {
	case "dns":
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if !bare || err != nil || port == 0 || checkName(u.Hostname()) != nil {
			return nil, fmt.Errorf("discover: %q must be dns://name:port, with a port from 1 to 65535", text)
		}
		return DNS(u.Hostname(), int(port), opts...), nil
	case "srv":
		if !bare || u.Port() != "" || checkName(u.Host) != nil {
			return nil, fmt.Errorf("discover: %q must be srv://name, without a port", text)
		}
		return SRV(u.Host, opts...), nil
	}
	return nil, fmt.Errorf("discover: %q must be dns://name:port, srv://name or file:path", text)
}
