//go:build !linux && !plan9

package faulty

import "errors"

// Other systems differ too much in how they treat a port without a listener, or a full accept
// queue, to play it by the same few calls. Pipes play both everywhere.

func (s *Server) reserve(string) (int, error) { return 0, errors.ErrUnsupported }

func (s *Server) cram(string) (int, error) { return 0, errors.ErrUnsupported }
