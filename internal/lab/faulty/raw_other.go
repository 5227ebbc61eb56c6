//go:build !linux && !plan9

package faulty

import "errors"

// How other systems treat a port without a listener, or a full accept queue, differs too much to
// play it by the same few calls; pipes play both everywhere.

func (s *Server) reserve(string) (int, error) { return 0, errors.ErrUnsupported }

func (s *Server) cram(string) (int, error) { return 0, errors.ErrUnsupported }
