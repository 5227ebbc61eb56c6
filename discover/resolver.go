package discover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"
)

// resolvConf is where the machine's resolver is set up.
const resolvConf = "/etc/resolv.conf"

// udpSize is what fits into a packet everywhere (DNS flag day 2020).
const udpSize = 1232

// A resolver asks name servers. Go's own does not say how long an answer is good for.
type resolver struct {
	config *dns.ClientConfig
}

// newResolver reads the machine's configuration anew: it changes with the network.
func newResolver(s *settings) (*resolver, error) {
	if s.nameserver == "" {
		config, err := dns.ClientConfigFromFile(resolvConf)
		if err != nil {
			return nil, err
		}
		if len(config.Servers) == 0 {
			return nil, errors.New(resolvConf + " names no server")
		}
		return &resolver{config}, nil
	}
	host, port, err := net.SplitHostPort(s.nameserver)
	if err != nil {
		return nil, err
	}
	return &resolver{&dns.ClientConfig{Servers: []string{host}, Port: port, Ndots: 1, Timeout: 5, Attempts: 2}}, nil
}

// ask asks the name servers one after the other for one kind of record. That there is
// no such name is an answer.
func (r *resolver) ask(ctx context.Context, full string, kind uint16) (m *dns.Msg, err error) {
	for range max(r.config.Attempts, 1) {
		for _, server := range r.config.Servers {
			m, err = r.askOne(ctx, full, kind, net.JoinHostPort(server, r.config.Port))
			if err == nil || ctx.Err() != nil {
				return m, err
			}
		}
	}
	return nil, err
}

func (r *resolver) askOne(ctx context.Context, full string, kind uint16, server string) (*dns.Msg, error) {
	q := new(dns.Msg).SetQuestion(full, kind)
	q.SetEdns0(udpSize, false)
	m, err := r.exchange(ctx, "udp", q, server)
	if err == nil && m.Truncated {
		m, err = r.exchange(ctx, "tcp", q, server)
	}
	what := dns.TypeToString[kind] + " of " + full
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", what, err)
	case !m.Response || len(m.Question) != 1 || m.Question[0] != q.Question[0]:
		return nil, fmt.Errorf("%s: %s answered another question", what, server)
	case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
		return nil, fmt.Errorf("%s: %s answered %s", what, server, dns.RcodeToString[m.Rcode])
	}
	return m, nil
}

// exchange is one question and its answer, cut off by the end of ctx.
func (r *resolver) exchange(ctx context.Context, network string, q *dns.Msg, server string) (*dns.Msg, error) {
	client := &dns.Client{Net: network, UDPSize: udpSize, Timeout: time.Duration(max(r.config.Timeout, 1)) * time.Second}
	conn, err := client.DialContext(ctx, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	m, _, err := client.ExchangeWithConnContext(ctx, q, conn)
	if ctx.Err() != nil && err != nil { // not that we closed it
		err = fmt.Errorf("%s: %w", server, context.Cause(ctx))
	}
	return m, err
}
