package discover_test

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/callosum-go/rover/internal/lab/kit"
)

// A nameServer answers over UDP and TCP on loopback with the records it is given.
type nameServer struct {
	addr    string
	mu      sync.Mutex
	records map[uint16][]string // by type, in a zone file's form
	extra   []string
	fail    func(w dns.ResponseWriter, m *dns.Msg) // instead of an answer
	asked   []string
	tcp     int // questions that came by TCP
}

func newNameServer(t testing.TB) *nameServer {
	t.Helper()
	s := &nameServer{records: map[uint16][]string{}}
	for { // a port that is free for both
		udp := kit.Must(net.ListenPacket("udp", "127.0.0.1:0"))(t)
		s.addr = udp.LocalAddr().String()
		tcp, err := net.Listen("tcp", s.addr)
		if err != nil {
			udp.Close()
			continue
		}
		for _, server := range []*dns.Server{{PacketConn: udp, Handler: s}, {Listener: tcp, Handler: s}} {
			ready, ended := make(chan struct{}), make(chan struct{})
			server.NotifyStartedFunc = func() { close(ready) }
			go func() { defer close(ended); _ = server.ActivateAndServe() }()
			<-ready
			t.Cleanup(func() { _ = server.Shutdown(); <-ended })
		}
		return s
	}
}

func (s *nameServer) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	question := q.Question[0]
	s.asked = append(s.asked, dns.TypeToString[question.Qtype]+" "+question.Name)
	m := new(dns.Msg).SetReply(q)
	m.Compress = true
	if s.fail != nil {
		s.fail(w, m)
		return
	}
	m.Answer = records(s.records[question.Qtype], question.Name)
	if question.Qtype == dns.TypeSRV {
		m.Extra = records(s.extra, "")
	}
	if len(m.Answer) == 0 {
		m.Rcode = dns.RcodeNameError
		m.Ns = records([]string{"test. 1 IN SOA a. b. 1 1 1 1 1"}, "")
	}
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
		m.Truncate(1232)
	} else {
		s.tcp++
	}
	_ = w.WriteMsg(m)
}

// records are those that are of a name, or all of them.
func records(lines []string, name string) (all []dns.RR) {
	for _, line := range lines {
		record, err := dns.NewRR(line)
		if err != nil {
			panic(err)
		}
		if name == "" || strings.EqualFold(record.Header().Name, name) {
			all = append(all, record)
		}
	}
	return all
}

// answer makes these the records, and heals.
func (s *nameServer) answer(lines ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records, s.fail = map[uint16][]string{}, nil
	for _, line := range lines {
		kind := records([]string{line}, "")[0].Header().Rrtype
		s.records[kind] = append(s.records[kind], line)
	}
}

func (s *nameServer) fails(how func(w dns.ResponseWriter, m *dns.Msg)) func() {
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fail = how
	}
}

func (s *nameServer) questions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// failures are the ways it can fail.
func (s *nameServer) failures() map[string]func() {
	code := func(rcode int) func() {
		return s.fails(func(w dns.ResponseWriter, m *dns.Msg) { m.Rcode = rcode; _ = w.WriteMsg(m) })
	}
	return map[string]func(){
		"outage":  code(dns.RcodeServerFailure),
		"refusal": code(dns.RcodeRefused),
		"silence": s.fails(func(dns.ResponseWriter, *dns.Msg) {}),
		"nonsense": s.fails(func(w dns.ResponseWriter, m *dns.Msg) {
			_, _ = w.Write([]byte{byte(m.Id >> 8), byte(m.Id), 0x81, 0x80, 0, 1, 0, 9, 0, 0, 0, 0, 0xff})
		}),
		"another's answer": s.fails(func(w dns.ResponseWriter, m *dns.Msg) {
			m.Question[0].Name = "another.test."
			m.Answer = records([]string{"another.test. 1 IN A 127.9.9.9"}, "")
			_ = w.WriteMsg(m)
		}),
		"cut off and TCP refused": s.fails(func(w dns.ResponseWriter, m *dns.Msg) {
			if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
				m.Truncated = true
				m.Answer = records([]string{"svc.test. 1 IN A 127.9.9.9"}, "")
				_ = w.WriteMsg(m)
				return
			}
			_ = w.Close()
		}),
	}
}
