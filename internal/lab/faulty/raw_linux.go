//go:build !plan9

package faulty

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

// descriptor is a raw socket, for what package net does not offer.
type descriptor int

func (d descriptor) Close() error { return syscall.Close(int(d)) }

// reserve binds a port of host without listening on it: connections are refused, and no other
// process gets the port meanwhile.
func (s *Server) reserve(host string) (port int, err error) {
	_, port, err = s.bind(host)
	return port, err
}

// cram listens with the shortest accept queue there is and fills it, so that the kernel drops the
// first packet of the next client.
func (s *Server) cram(host string) (port int, err error) {
	fd, port, err := s.bind(host)
	if err != nil {
		return 0, err
	}
	if err := syscall.Listen(fd, 0); err != nil {
		return 0, os.NewSyscallError("listen", err)
	}
	// A queue of length 0 takes one connection. The second one only makes sure: it gets in, or
	// it waits like those to come.
	for range 2 {
		if err := s.fill(host, port); err != nil {
			return 0, err
		}
	}
	return port, nil
}

// fill connects to a port without waiting for it.
func (s *Server) fill(host string, port int) error {
	fd, address, err := s.socket(host, port)
	if err != nil {
		return err
	}
	if err := syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1}); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Connect(fd, address); err != nil && err != syscall.EINPROGRESS {
		return os.NewSyscallError("connect", err)
	}
	return nil
}

// bind makes a socket with a free port of host.
func (s *Server) bind(host string) (fd, port int, err error) {
	fd, address, err := s.socket(host, 0)
	if err != nil {
		return 0, 0, err
	}
	if err := syscall.Bind(fd, address); err != nil {
		return 0, 0, os.NewSyscallError("bind", err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, 0, os.NewSyscallError("getsockname", err)
	}
	return fd, name.(*syscall.SockaddrInet4).Port, nil
}

// socket makes a socket that Close closes, and the address for it.
func (s *Server) socket(host string, port int) (int, *syscall.SockaddrInet4, error) {
	ip := net.ParseIP(host).To4()
	if ip == nil {
		return 0, nil, fmt.Errorf("host %q is not an IPv4 address", host)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, os.NewSyscallError("socket", err)
	}
	s.closers = append(s.closers, descriptor(fd))
	return fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte(ip)}, nil
}
