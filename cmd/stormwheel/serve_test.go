package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/machine"
)

var readyLine = regexp.MustCompile(`^stormwheel ready node=(\S+) listen=([\d.]+:[1-9]\d*(?:,[\d.]+:[1-9]\d*)*|unix:/\S+) admin=(127\.0\.0\.1:[1-9]\d*|-) pid=(\d+)$`)

type node struct {
	*process
	name, listen, admin, pid string
	in                       network // where its admin address is; none: where the test is
}

// client asks the node over HTTP.
func (n *node) client() *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DialContext: n.in.dial}}
}

// serve starts a node on free ports and waits for its ready line.
func serve(t *testing.T, args ...string) *node {
	t.Helper()
	return ready(t, stormwheel(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)...))
}

func ready(t *testing.T, p *process) *node {
	t.Helper()
	line := p.line()
	m := readyLine.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("ready line is %q", line)
	}
	return &node{process: p, name: m[1], listen: m[2], admin: m[3], pid: m[4]}
}

func (n *node) get(method, path string) (status int, body string) {
	n.t.Helper()
	req, err := http.NewRequestWithContext(n.t.Context(), method, "http://"+n.admin+path, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	resp, err := n.client().Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// peer speaks the protocol by hand.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   []byte
}

func dial(t *testing.T, addr string) *peer {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &peer{t: t, conn: conn}
}

// next returns the next frame.
func (p *peer) next() codec.Frame {
	p.t.Helper()
	for {
		f, size, err := codec.Decode(p.in, codec.MaxPayload)
		if err == nil {
			p.in = p.in[size:]
			return f
		}
		if !errors.Is(err, codec.ErrIncomplete) {
			p.t.Fatal(err)
		}
		buf := make([]byte, 4096)
		n, err := p.conn.Read(buf)
		if err != nil {
			p.t.Fatal(err)
		}
		p.in = append(p.in, buf[:n]...)
	}
}

func (p *peer) write(frame []byte, err error) {
	p.t.Helper()
	if err == nil {
		_, err = p.conn.Write(frame)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// join says HELLO and returns what the node answers.
func (p *peer) join() codec.WelcomeMessage {
	p.t.Helper()
	p.write(codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("alice")}))
	f := p.next()
	if f.Type != codec.Welcome {
		p.t.Fatalf("HELLO is answered by %v", f.Type)
	}
	m, err := codec.ParseWelcome(f.Payload)
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

func TestServeSaysWhereItListensAndStops(t *testing.T) {
	n := serve(t, "--node", "a")
	if n.name != "a" || n.admin == "-" || n.pid != fmt.Sprint(n.cmd.Process.Pid) {
		t.Errorf("ready line says node %s, admin %s, pid %s; the process is %d", n.name, n.admin, n.pid, n.cmd.Process.Pid)
	}
	p := dial(t, n.listen)
	if m := p.join(); string(m.Node) != "a" || m.Terms.Interval != 30*time.Second || m.Terms.Timeout != 75*time.Second {
		t.Errorf("WELCOME says %+v", m)
	}
	p.conn.Close()
	n.signal(syscall.SIGTERM)
	if code, rest := n.exit(); code != 0 || len(rest) != 0 {
		t.Errorf("SIGTERM: exit %d, more output %q", code, rest)
	}
	if said := n.stderr.String(); strings.Count(said, "msg=collector gogc=") != 1 {
		t.Errorf("the log does not say which collector settings hold:\n%s", said)
	}
}

func TestServeReadsTheEnvironment(t *testing.T) {
	p := start(t, []string{"STORMWHEEL_LISTEN=127.0.0.1:0", "STORMWHEEL_NODE=env", "STORMWHEEL_HEARTBEAT=7s", "STORMWHEEL_LOG_LEVEL=error"},
		os.Args[0], "serve")
	n := ready(t, p)
	if n.name != "env" || n.admin != "-" {
		t.Errorf("ready line says node %s, admin %s", n.name, n.admin)
	}
	c := dial(t, n.listen)
	if m := c.join(); m.Terms.Interval != 7*time.Second {
		t.Errorf("WELCOME says %+v", m)
	}
	c.conn.Close()
	n.signal(syscall.SIGINT)
	if code, _ := n.exit(); code != 0 || n.stderr.String() != "" {
		t.Errorf("SIGINT: exit %d, log at level error %q", code, n.stderr.String())
	}
}

// The silence that the node allows follows the heartbeat, unless it is said.
func TestTimeoutFollowsTheHeartbeat(t *testing.T) {
	for want, args := range map[time.Duration][]string{
		75 * time.Second:  nil,
		250 * time.Second: {"--heartbeat", "100s"},
		5 * time.Second:   {"--heartbeat", "2s"},
		9 * time.Second:   {"--heartbeat", "2s", "--timeout", "9s"},
	} {
		if got := dial(t, serve(t, args...).listen).join().Terms.Timeout; got != want {
			t.Errorf("serve %v: %v, want %v", args, got, want)
		}
	}
}

func TestServeAcknowledgesAndEchoes(t *testing.T) {
	p := dial(t, serve(t).listen)
	p.join()
	p.write(codec.AppendSend(nil, 41, []byte("hello")), nil)
	f := p.next()
	if _, body, err := codec.ParseMessage(f.Payload); f.Type != codec.Deliver || err != nil || string(body) != "hello" {
		t.Errorf("SEND is answered by %v %q, %v", f.Type, body, err)
	}
	f = p.next()
	if m, err := codec.ParseAck(f.Payload); f.Type != codec.Ack || err != nil || m != codec.AckOf(41) {
		t.Errorf("then by %v %v, %v", f.Type, m, err)
	}
}

func TestTakenPortIsOneLineWithTheAddress(t *testing.T) {
	n := serve(t)
	plain, err := net.Listen("tcp", "127.0.0.1:0") // not one of ours
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for _, tc := range []struct {
		flag, addr string
	}{{"--listen", n.listen}, {"--listen", plain.Addr().String()}, {"--admin", n.admin}} {
		p := stormwheel(t, "serve", "--listen", "127.0.0.1:0", tc.flag, tc.addr, "--log-level", "error")
		code, out := p.exit()
		said := p.stderr.String()
		if code != exitError || len(out) != 0 || strings.Count(said, "\n") != 1 || !strings.Contains(said, tc.addr) {
			t.Errorf("%s %s: exit %d, output %q, error %q", tc.flag, tc.addr, code, out, said)
		}
	}
}

func TestAdminAnswersFourPathsAndNoMore(t *testing.T) {
	n := serve(t, "--node", "a")
	dial(t, n.listen).join()
	for _, tc := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/livez", 200}, {"GET", "/readyz", 200}, {"GET", "/stats", 200}, {"GET", "/metrics", 200},
		{"GET", "/", 404}, {"GET", "/debug/pprof/", 404}, {"GET", "/stats/x", 404},
		{"POST", "/stats", 405}, {"DELETE", "/livez", 405},
	} {
		if status, body := n.get(tc.method, tc.path); status != tc.want {
			t.Errorf("%s %s: status %d, want %d: %s", tc.method, tc.path, status, tc.want, body)
		}
	}
	var stats struct {
		Node            string
		Conns, Sessions int
	}
	for deadline := time.Now().Add(patience); stats.Sessions != 1; { // counters are as of the last tick
		_, body := n.get("GET", "/stats")
		if err := json.Unmarshal([]byte(body), &stats); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		if time.Now().After(deadline) {
			t.Fatalf("/stats never shows the session: %s", body)
		}
	}
	if stats.Node != "a" || stats.Conns != 1 {
		t.Errorf("/stats says %+v", stats)
	}
}

// TestDoctorsDescriptorLimitHolds holds doctor to what the server then admits.
func TestDoctorsDescriptorLimitHolds(t *testing.T) {
	const conns = 1000
	needed := machine.NoLimits().RaiseDescriptors(nodeNeed(conns).Descriptors)
	n := ready(t, start(t, nil, "sh", "-c", needed+` && exec "$0" "$@"`,
		os.Args[0], "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"))
	var stats struct {
		MaxConns int `json:"max_conns"`
	}
	_, body := n.get("GET", "/stats")
	if err := json.Unmarshal([]byte(body), &stats); err != nil || stats.MaxConns < conns || stats.MaxConns > conns*2 {
		t.Errorf("%s: the node admits %d connections, doctor promised %d (%v)", needed, stats.MaxConns, conns, err)
	}
}

func TestATakenPortIsOneLine(t *testing.T) {
	n := serve(t)
	p := stormwheel(t, "serve", "--listen", n.listen)
	code, _ := p.exit()
	if text := p.stderr.String(); code != exitError || strings.Count(text, "\n") != 1 || !strings.Contains(text, n.listen) {
		t.Errorf("exit %d: %q, want one line with the address", code, text)
	}
}
