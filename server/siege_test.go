package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// A siege is a node in a process of its own (this test binary, started again with its
// orders in siegeOrders), well-behaved clients beside it, and enemies.
const siegeOrders = "STORMWHEEL_TEST_SIEGE"

// siegeConfig is what of Config travels to the node. Zero fields are as startSiege says.
type siegeConfig struct {
	Listen                                   string
	Heartbeat, Timeout, Tick                 time.Duration
	HelloTimeout, PartialTimeout, WriteLimit time.Duration
	MaxConns, MaxFrameRate, AddrConns        int
	AdmitRate, IDRate                        float64
	Secret                                   []byte
	ClientsOf                                string // be no node, but clients of the one at this address
}

// Deadlines are a fifth to a tenth of the defaults, so that a test sees them pass.
func (c siegeConfig) filled() siegeConfig {
	def(&c.Listen, "127.0.0.1:0")
	def(&c.Heartbeat, 500*time.Millisecond)
	def(&c.Timeout, 8*time.Second) // no test client of a busy machine is that late
	def(&c.Tick, 20*time.Millisecond)
	def(&c.HelloTimeout, time.Second)
	def(&c.PartialTimeout, 700*time.Millisecond)
	def(&c.WriteLimit, 700*time.Millisecond)
	def(&c.AdmitRate, 100_000)
	def(&c.IDRate, -1)
	return c
}

// report is what the node says of itself.
type report struct {
	Conns, Sessions, Pending, Lingering, Queued, Budget int64
	Admitted                                            int64 // by the gate
	Accepted, LingerCut, Panics, Pings, Pongs           uint64
	Closes                                              map[string]uint64
	Slots, Wheel, Extras, Names                         int    // looked at on the loops themselves; of Names, the bytes
	Fault                                               string // of a wheel
	Goroutines, Descriptors                             int
	RSS, Heap                                           int64 // Heap: what is alive, after "gc"
	Race                                                bool  // the race detector is in, and its memory too
}

// runSiege is the node's main: it prints its address, then a report for every line of
// input, after it has done what the line says, and ends with the input.
func runSiege(text string) int {
	var c siegeConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if c.ClientsOf != "" {
		return runClients(c.ClientsOf)
	}
	push := &pusher{sinks: make(map[codec.SessionID]struct{})}
	cfg := Config{Listen: c.Listen, Loops: 2, Heartbeat: c.Heartbeat, Timeout: c.Timeout, Tick: c.Tick,
		HelloTimeout: c.HelloTimeout, PartialTimeout: c.PartialTimeout, WriteTimeout: c.WriteLimit,
		MaxConns: c.MaxConns, DrainGrace: -1, Alternates: elsewhere, MaxFrameRate: c.MaxFrameRate, AddrConns: c.AddrConns, AdmitRate: c.AdmitRate, IDRate: c.IDRate,
		Handler: push.handler()}
	if len(c.Secret) > 0 {
		cfg.Auth, _ = NewHMACAuth(c.Secret) // nil would admit nobody's tokens, which a test would see
	}
	s, err := New(cfg)
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	push.server = s
	stop := make(chan struct{})
	go push.run(stop)
	fmt.Println(s.Addr())
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			switch in.Text() {
			case "gc":
				debug.FreeOSMemory()
			case "stop":
				go s.Stop(context.Background())
			case "drain":
				go s.Drain(context.Background())
			}
			line, _ := json.Marshal(s.report())
			fmt.Println(string(line))
		}
		close(stop)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Stop(ctx)
	}()
	if err := s.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 0
}

// vanishing is how many clients a process is that runClients makes.
const vanishing = 100

// runClients is the main of clients that speak until they are killed.
func runClients(addr string) int {
	beat := time.NewTicker(200 * time.Millisecond)
	defer beat.Stop()
	var conns []net.Conn
	for i := range vanishing {
		c, err := net.DialTimeout("tcp", addr, 5*time.Second)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if _, err := c.Write(helloWith(fmt.Sprint("gone-", i), "")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		conns = append(conns, c)
	}
	for _, c := range conns {
		go func() { // reads, so that nobody is a slow consumer
			for b := make([]byte, 4096); ; {
				if _, err := c.Read(b); err != nil {
					return
				}
			}
		}()
	}
	fmt.Println(len(conns))
	for range beat.C {
		for _, c := range conns {
			if _, err := c.Write(codec.AppendPing(nil, 1, 0)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
	}
	return 0
}

// pusher is the application: it echoes, sends without end to the ids that begin with
// "sink", and three messages to those that begin with "stall".
type pusher struct {
	server *Server
	mu     sync.Mutex
	sinks  map[codec.SessionID]struct{}
}

func (p *pusher) handler() Handler {
	return Handler{
		Opened: func(s *Session) {
			switch id := s.ClientID(); {
			case strings.HasPrefix(id, "sink"):
				p.mu.Lock()
				p.sinks[s.ID()] = struct{}{}
				p.mu.Unlock()
			case strings.HasPrefix(id, "stall"):
				for range 4 {
					s.Deliver(make([]byte, 60<<10))
				}
			}
		},
		Message: func(s *Session, id uint64, body []byte) {
			s.Deliver(body)
			s.Ack(id)
		},
		Closed: func(s *Session, _ Reason) {
			p.mu.Lock()
			delete(p.sinks, s.ID())
			p.mu.Unlock()
		},
	}
}

func (p *pusher) run(stop chan struct{}) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	body := make([]byte, 32<<10)
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		p.mu.Lock()
		for id := range p.sinks {
			p.server.Deliver(id, body) // the mailbox may be full
		}
		p.mu.Unlock()
	}
}

type runnable func()

func (f runnable) Run(context.Context) error { f(); return nil }

func (s *Server) report() report {
	st := s.Stats()
	r := report{
		Conns: st.Conns, Sessions: st.Sessions, Pending: st.Pending, Queued: st.Queued,
		Lingering: s.shared.gate.lingering.Load(), Admitted: s.shared.gate.conns.Load(), Budget: s.shared.budget.queued.Load(),
		Accepted: st.Accepted, LingerCut: st.LingerCut, Panics: st.Panics, Pings: st.Pings, Pongs: st.Pongs,
		Closes: make(map[string]uint64), Goroutines: runtime.NumGoroutine(),
	}
	for why, n := range st.Closes {
		if n > 0 {
			r.Closes[Reason(why).String()] = n
		}
	}
	r.Descriptors = openDescriptors()
	r.RSS, _ = machine.Resident()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.Heap = int64(m.HeapAlloc)
	if info, ok := debug.ReadBuildInfo(); ok {
		r.Race = slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
	}
	for _, l := range *s.loops.Load() {
		done := make(chan struct{})
		if l.el.Execute(context.Background(), runnable(func() {
			defer close(done)
			r.look(l)
		})) == nil {
			<-done
		}
	}
	return r
}

// siege is the parent's side.
type siege struct {
	t      *testing.T
	cfg    siegeConfig
	addr   string
	cmd    *exec.Cmd
	in     io.Writer
	out    *os.File
	lines  *bufio.Reader
	serial atomic.Int64 // so that ids differ
}

// patience bounds every wait of these tests; none takes a tenth of it on an idle machine.
const patience = 20 * time.Second

func startSiege(t *testing.T, cfg siegeConfig, how ...func(*exec.Cmd)) *siege {
	t.Helper()
	s := &siege{t: t, cfg: cfg.filled()}
	text, err := json.Marshal(s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(os.Args[0])
	s.cmd.Env = append(os.Environ(), siegeOrders+"="+string(text))
	s.cmd.Stderr = os.Stderr
	for _, f := range how {
		f(s.cmd)
	}
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out, s.lines = out.(*os.File), bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.cmd.Wait()
	})
	s.addr = s.line()
	return s
}

func (s *siege) line() string {
	s.t.Helper()
	s.out.SetReadDeadline(time.Now().Add(patience))
	line, err := s.lines.ReadString('\n')
	if err != nil {
		s.t.Fatalf("the node is gone or stuck: %v", err)
	}
	return strings.TrimSpace(line)
}

// ask wants a report, after a collection if the word is "gc".
func (s *siege) ask(word string) (r report) {
	s.t.Helper()
	fmt.Fprintln(s.in, word)
	if err := json.Unmarshal([]byte(s.line()), &r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// warm has every loop meet clients, and returns what the node looks like without any.
func (s *siege) warm() (empty report) {
	s.t.Helper()
	var in []*enemy
	for range 32 {
		e := s.enemy("warm")
		if err := e.join(); err != nil {
			s.t.Fatal(err)
		}
		in = append(in, e)
	}
	for _, e := range in {
		e.conn.Close()
	}
	s.until("the first clients have left", func(r report) bool { return r.Conns == 0 })
	empty = s.ask("gc")
	for range 5 { // the node's ticker opens a file now and then
		r := s.ask("gc")
		empty.Goroutines = min(empty.Goroutines, r.Goroutines)
		empty.Descriptors = min(empty.Descriptors, r.Descriptors)
	}
	return empty
}

func (s *siege) until(what string, ok func(report) bool) (r report) {
	s.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if r = s.ask(""); ok(r) {
			return r
		}
		if time.Now().After(end) {
			s.t.Fatalf("not within %v: %s; the node says %+v", patience, what, r)
		}
	}
}

// wantNothingLeft waits until nothing of anybody is left in the node.
func (s *siege) wantNothingLeft(empty report) {
	s.t.Helper()
	r := s.until("everything is given back: "+fmt.Sprintf("goroutines %d, descriptors %d", empty.Goroutines, empty.Descriptors),
		func(r report) bool { return r.clean(empty) })
	if fault := r.fault(); fault != "" || r.Panics != 0 {
		s.t.Errorf("%d panics; %s", r.Panics, fault)
	}
}

// wantClean is wantNothingLeft, and whoever comes then gets in.
func (s *siege) wantClean(empty report) {
	s.t.Helper()
	s.wantNothingLeft(empty)
	if e := s.enemy("after"); e.join() != nil {
		s.t.Error("nobody gets in afterwards")
	} else {
		e.conn.Close()
	}
}

// enemy is a peer that a test makes misbehave. Its methods return errors, since it runs
// on a goroutine of its own.
type enemy struct {
	s     *siege
	id    string
	conn  *net.TCPConn
	buf   []byte
	began time.Time
	in    bool                // it got a session
	away  codec.GoAwayMessage // what it was told at its end
}

func (s *siege) enemy(kind string) *enemy {
	return &enemy{s: s, id: fmt.Sprint(kind, "-", s.serial.Add(1))}
}

// home is where well-behaved clients come from; enemies come from 127.0.0.1.
var home = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}

func (e *enemy) dial() error { return e.dialFrom(net.Dialer{}) }

func (e *enemy) dialFrom(d net.Dialer) error {
	d.Timeout = patience
	e.began = time.Now()
	c, err := d.Dial("tcp", e.s.addr)
	if err != nil {
		return err
	}
	e.conn = c.(*net.TCPConn)
	return e.conn.SetDeadline(time.Now().Add(patience))
}

func (e *enemy) hello() []byte {
	return helloWith(e.id, e.s.token(e.id, time.Now().Add(time.Hour)))
}

// token admits the id until then, on a node that wants tokens.
func (s *siege) token(id string, until time.Time) string {
	if len(s.cfg.Secret) == 0 {
		return ""
	}
	token, err := MintToken(s.cfg.Secret, id, until)
	if err != nil {
		panic(err) // the secret is a test's own
	}
	return token
}

func helloWith(id, token string) []byte {
	b, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte(id), Token: []byte(token)})
	if err != nil {
		panic(err) // ids and tokens are a test's own
	}
	return b
}

// join gets a session.
func (e *enemy) join() error { return e.joinFrom(net.Dialer{}) }

func (e *enemy) joinFrom(d net.Dialer) error {
	if err := e.dialFrom(d); err != nil {
		return err
	}
	if _, err := e.conn.Write(e.hello()); err != nil {
		return err
	}
	return e.want(codec.Welcome)
}

func (e *enemy) want(typ codec.Type) error {
	f, err := e.next()
	e.in = e.in || f.Type == codec.Welcome
	if err == nil && f.Type != typ {
		err = fmt.Errorf("%v instead of %v", f.Type, typ)
		if f.Type == codec.GoAway {
			e.away, _ = codec.ParseGoAway(f.Payload)
			err = fmt.Errorf("GOAWAY %v instead of %v", e.away.Code, typ)
		}
	}
	return err
}

// next returns the next frame, or what ended the stream.
func (e *enemy) next() (codec.Frame, error) {
	for {
		f, n, err := codec.Decode(e.buf, 1<<20)
		if err == nil {
			e.buf = e.buf[n:]
			return f, nil
		}
		if !errors.Is(err, codec.ErrIncomplete) {
			return f, err
		}
		chunk := make([]byte, 2048)
		got, err := e.conn.Read(chunk)
		if e.buf = append(e.buf, chunk[:got]...); got == 0 {
			return f, err
		}
	}
}

// end reads until the stream ends and returns the code of the GOAWAY, 0 without one. How
// it ends is not an error, but it must end.
func (e *enemy) end() (codec.Code, error) {
	defer e.conn.Close()
	for {
		f, err := e.next()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return 0, errors.New("it was not closed")
		case err != nil:
			return e.away.Code, nil
		case f.Type == codec.Welcome:
			e.in = true
		case f.Type == codec.GoAway:
			if e.away, err = codec.ParseGoAway(f.Payload); err != nil {
				return 0, err
			}
		}
	}
}

// endWithin is end, no earlier than after since the connect and not much later.
func (e *enemy) endWithin(since time.Time, after time.Duration) (codec.Code, error) {
	code, err := e.end()
	if took := time.Since(since); err == nil && (took < after || took > after+3*time.Second) {
		err = fmt.Errorf("closed after %v, want %v", took, after)
	}
	return code, err
}

// crowd are well-behaved clients: each speaks ten times a second and wants an answer, and
// newcomers join one after the other. From addresses of their own.
type crowd struct {
	s    *siege
	stop chan struct{}
	wg   sync.WaitGroup

	mu        sync.Mutex
	rtt       []time.Duration
	lost      []string
	newcomers int
}

const crowdSize = 50

func (s *siege) crowd() *crowd {
	s.t.Helper()
	c := &crowd{s: s, stop: make(chan struct{})}
	var ready sync.WaitGroup
	for i := range crowdSize {
		e := s.enemy("good")
		ready.Add(1)
		c.wg.Go(func() {
			err := e.joinFrom(net.Dialer{LocalAddr: home})
			ready.Done()
			if err == nil {
				defer e.conn.Close()
				err = c.live(e, time.Duration(i)*beat/crowdSize)
			}
			c.report("client", e.id, err)
		})
	}
	ready.Wait()
	c.wg.Go(c.arrive)
	return c
}

const beat = 100 * time.Millisecond

func (c *crowd) report(what, id string, err error) {
	if err != nil {
		c.mu.Lock()
		c.lost = append(c.lost, fmt.Sprintf("%s %s: %v", what, id, err))
		c.mu.Unlock()
	}
}

// live pings at its beat. A round trip begins when its PING was due.
func (c *crowd) live(e *enemy, offset time.Duration) error {
	due := time.Now().Add(offset)
	for token := uint64(1); ; token++ {
		select {
		case <-c.stop:
			return nil
		case <-time.After(time.Until(due)):
		}
		e.conn.SetDeadline(time.Now().Add(patience))
		if _, err := e.conn.Write(codec.AppendPing(nil, token, 0)); err != nil {
			return err
		}
		for echo := uint64(0); echo != token; {
			f, err := e.next()
			if err != nil {
				return err
			}
			m, err := codec.ParsePong(f.Payload)
			if f.Type != codec.Pong || err != nil {
				return fmt.Errorf("got %v", f.Type)
			}
			echo = m.Token
		}
		c.mu.Lock()
		c.rtt = append(c.rtt, time.Since(due))
		c.mu.Unlock()
		if due = due.Add(beat); time.Until(due) < -time.Second {
			due = time.Now() // the test itself was too slow
		}
	}
}

// arrive joins, speaks and leaves, again and again.
func (c *crowd) arrive() {
	pause := time.NewTicker(beat / 2)
	defer pause.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-pause.C:
		}
		e := c.s.enemy("new")
		err := e.joinFrom(net.Dialer{LocalAddr: home})
		if err == nil {
			if _, err = e.conn.Write(codec.AppendSend(nil, 1, []byte("hello"))); err == nil {
				err = errors.Join(e.want(codec.Deliver), e.want(codec.Ack))
			}
			e.conn.Write(codec.AppendBye(nil))
		}
		if e.conn != nil {
			e.conn.Close()
		}
		c.report("newcomer", e.id, err)
		c.newcomers++
	}
}

// leave ends the crowd and judges how it fared.
func (c *crowd) leave() {
	t := c.s.t
	t.Helper()
	close(c.stop)
	c.wg.Wait()
	if len(c.lost) > 0 {
		t.Errorf("%d well-behaved clients were lost: %.500q", len(c.lost), c.lost)
	}
	slices.Sort(c.rtt)
	at := func(p float64) time.Duration {
		if len(c.rtt) == 0 {
			return patience
		}
		return c.rtt[int(float64(len(c.rtt)-1)*p)].Round(10 * time.Microsecond)
	}
	t.Logf("beside it: %d round trips of %d clients, p50 %v p99 %v max %v; %d newcomers", len(c.rtt), crowdSize, at(.5), at(.99), at(1), c.newcomers)
	// On an idle machine a hundredth of this. The enemies share the cores with the crowd.
	if at(.5) > 200*time.Millisecond || at(.99) > 2*time.Second {
		t.Errorf("well-behaved clients waited: p50 %v p99 %v", at(.5), at(.99))
	}
}

// trial is what one kind of enemy does and how it must end.
type trial struct {
	name   string
	peers  int
	play   func(e *enemy) (codec.Code, error)
	code   codec.Code // 0: it is told nothing, or cannot read it
	reason Reason
}

// try has all peers of a trial play at once.
func (s *siege) try(tr trial) {
	s.t.Helper()
	before := s.ask("").Closes[tr.reason.String()]
	var wg sync.WaitGroup
	var mu sync.Mutex
	wrong := make(map[string]int)
	for range tr.peers {
		e := s.enemy(strings.ReplaceAll(tr.name, " ", "-"))
		wg.Go(func() {
			code, err := tr.play(e)
			if err == nil && code == tr.code {
				return
			}
			mu.Lock()
			wrong[fmt.Sprintf("GOAWAY %v, %v", code, err)]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if len(wrong) > 0 {
		s.t.Errorf("%s: want GOAWAY %v for all of %d; but %v", tr.name, tr.code, tr.peers, wrong)
	}
	s.until(fmt.Sprintf("%s: %d closed with %v", tr.name, tr.peers, tr.reason), func(r report) bool {
		return r.Closes[tr.reason.String()] >= before+uint64(tr.peers)
	})
	if n := s.ask("").Closes[tr.reason.String()]; n != before+uint64(tr.peers) {
		s.t.Errorf("%s: %d closed with %v, want %d", tr.name, n-before, tr.reason, tr.peers)
	}
}

// besiege tries each trial on one node, with a crowd beside it.
func besiege(t *testing.T, cfg siegeConfig, trials ...trial) {
	t.Helper()
	besiegeWith(t, cfg, func(s *siege) {
		for _, tr := range trials {
			s.try(tr)
		}
	})
}

func besiegeWith(t *testing.T, cfg siegeConfig, attack func(s *siege)) {
	t.Helper()
	s := startSiege(t, cfg)
	empty := s.warm()
	c := s.crowd()
	attack(s)
	c.leave()
	s.wantClean(empty)
}

var secret = bytes.Repeat([]byte("s"), MinSecret)
