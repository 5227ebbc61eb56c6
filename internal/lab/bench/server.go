package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
)

// hosts is how many loopback addresses the attempts are spread over: with one
// destination the port range, not the client, would be the limit.
const hosts = 64

// serve writes every connection a line and forgets it, until standard input
// ends. It is as little work as a server can do: the clients are measured.
func serve() error {
	for i := range hosts {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.1.%d:0", i+1))
		if err != nil {
			return err
		}
		defer l.Close()
		fmt.Println(l.Addr())
		line := []byte("13\r\n")
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = conn.Write(line)
				_ = conn.Close() // the client's reset ends it; no TIME_WAIT
			}
		}()
	}
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	return nil
}

// startServer runs serve in a process of its own and returns its addresses.
func startServer() (addresses []string, stop func(), err error) {
	cmd := exec.Command(os.Args[0], "-serve")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	}
	lines := bufio.NewReader(stdout)
	for range hosts {
		line, err := lines.ReadString('\n')
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("bench: server did not start: %w", err)
		}
		addresses = append(addresses, strings.TrimSpace(line))
	}
	return addresses, stop, nil
}
