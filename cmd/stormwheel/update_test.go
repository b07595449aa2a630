package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/server"
)

// patch changes the settings of a node, as an operator does.
func (n *node) patch(body string) (status int, says string) {
	n.t.Helper()
	req, err := http.NewRequestWithContext(n.t.Context(), "PATCH", "http://"+n.admin+"/settings", strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	resp, err := (&http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
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

// A client learns of a node that was not there when it came, and goes there when its own dies.
func TestAClientGoesWhereItsNodeWasLaterToldOf(t *testing.T) {
	other := serve(t)
	n := serve(t, "--heartbeat", "1s", "--timeout", "3s", "--tick", "50ms")
	c := join(t, client.Config{Endpoints: []string{n.listen}, ID: "alice", BackoffMin: 10 * time.Millisecond})
	if status, says := n.patch(fmt.Sprintf(`{"alternates":[%q],"max_frame_rate":123,"log_level":"debug"}`, other.listen)); status != 200 {
		t.Fatalf("%d: %s", status, says)
	}
	pongs := c.Info().Pongs // each tells what the client may not know
	waitFor(t, "three heartbeats", func() bool { return c.Info().Pongs >= pongs+3 })
	if status, says := n.patch(`{"admit_rate":"fast"}`); status != 400 || !strings.Contains(says, "admit_rate") {
		t.Errorf("%d: %s", status, says)
	}
	waitFor(t, "the node says so", func() bool { return strings.Contains(n.stderr.String(), "settings were updated") })
	// It says what has changed, and nothing else.
	want := fmt.Sprintf(`msg="settings were updated" alternates=[%s] max_frame_rate=123 log_level=debug`+"\n", other.listen)
	if !strings.Contains(n.stderr.String(), want) {
		t.Errorf("%q is not in the log:\n%s", want, n.stderr.String())
	}
	n.signal(syscall.SIGKILL)
	waitFor(t, "a session at the other node", func() bool { i := c.Info(); return i.State == client.Ready && i.Node == other.name })
}

// Who can reach the admin listener from elsewhere can change nothing.
func TestSettingsAreThereOnLoopbackAlone(t *testing.T) {
	p := stormwheel(t, "serve", "--listen", "127.0.0.1:0", "--admin", "0.0.0.0:0")
	_, addr, _ := strings.Cut(p.line(), "admin=")
	addr, _, _ = strings.Cut(addr, " ")
	_, port, _ := strings.Cut(addr, "0.0.0.0:")
	n := &node{process: p, admin: "127.0.0.1:" + port}
	if status, _ := n.get("GET", "/settings"); status != 404 {
		t.Errorf("GET /settings: %d", status)
	}
	if status, _ := n.patch("{}"); status != 404 {
		t.Errorf("PATCH /settings: %d", status)
	}
	if status, _ := n.get("GET", "/livez"); status != 200 {
		t.Errorf("GET /livez: %d", status)
	}
}

// A secret is changed under a node by its file and SIGHUP; a bad file changes nothing.
func TestAHangupReadsTheSecretsAgain(t *testing.T) {
	a, b := strings.Repeat("a", 32), strings.Repeat("b", 32)
	file, cluster := write(t, "secret", a+"\n"), write(t, "cluster", a+"\n")
	n := serve(t, "--auth-secret-file", file, "--cluster-secret-file", cluster)
	token := func(secret string) string {
		return mint(t, "--secret-file", write(t, "of", secret), "--id", "alice")
	}
	ofA, ofB := write(t, "token-a", token(a)), write(t, "token-b", token(b))
	admits := func(tokenFile string) bool {
		p := stormwheel(t, "connect", "--server", n.listen, "--id", "alice", "--token-file", tokenFile)
		defer p.exit()
		for line := range p.lines {
			if strings.Contains(line, "connected") {
				p.say(":q")
				return true
			}
		}
		return false
	}
	hangup := func(text, says string) {
		t.Helper()
		before := strings.Count(n.stderr.String(), "SIGHUP")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		n.signal(syscall.SIGHUP)
		waitFor(t, "a line about it", func() bool { return strings.Count(n.stderr.String(), "SIGHUP") > before })
		if said := n.stderr.String(); !strings.Contains(said, says) || strings.Contains(said, a) {
			t.Errorf("it says\n%s", said)
		}
	}
	if !admits(ofA) || admits(ofB) {
		t.Fatal("the first secret does not decide")
	}
	hangup(b+"\n"+a+"\n", "secrets were read again")
	if !admits(ofA) || !admits(ofB) {
		t.Error("both are to be good while both are there")
	}
	hangup("too short\n", "the old secrets stay")
	if !admits(ofA) || !admits(ofB) {
		t.Error("a bad file has changed something")
	}
	hangup(b+"\n", "secrets were read again")
	if admits(ofA) || !admits(ofB) {
		t.Error("the second secret does not decide")
	}
}

// A secret that everybody may read is told at the start, by its file; one that only the node may is not.
func TestASecretThatEverybodyMayReadIsTold(t *testing.T) {
	own, open := write(t, "own", strings.Repeat("a", 32)), write(t, "open", strings.Repeat("b", 32))
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	n := serve(t, "--auth-secret-file", own, "--cluster-secret-file", open)
	n.untilSaid("everybody on this machine can read a secret; chmod o-r keeps it\" file=" + open + " mode=0644")
	n.signal(syscall.SIGTERM)
	n.exit()
	if said := n.stderr.String(); strings.Contains(said, "file="+own) {
		t.Errorf("it says\n%s", said)
	}
}

// echoNode starts a node that echoes, with short terms, until the test is over.
func echoNode(t *testing.T, alternates []string) *server.Server {
	t.Helper()
	n, err := server.New(server.Config{Listen: "127.0.0.1:0", Alternates: alternates, Loops: 3, IDRate: -1,
		Heartbeat: 400 * time.Millisecond, Timeout: patience, Tick: 20 * time.Millisecond, DrainGrace: -1,
		Handler: server.Handler{Message: func(s *server.Session, m server.Message) {
			_ = s.Deliver(m.Body)
			_ = s.Ack(m.Number)
		}}})
	if err == nil {
		err = n.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = n.Stop(ctx)
	})
	return n
}

// Updates of every kind beside clients that come, send and go, a drain at the end: for the race
// detector, and nobody is cut off.
func TestUpdateBesideEverything(t *testing.T) {
	secret := func(i int) []byte { return []byte(strings.Repeat(string(rune('a'+i%20)), server.MinSecret)) }
	other := echoNode(t, nil)
	n := echoNode(t, []string{other.Addr()})
	var lost, acked atomic.Int64
	var all []*client.Client
	for i := range 20 {
		all = append(all, join(t, client.Config{Endpoints: []string{n.Addr()}, ID: fmt.Sprint(i), BackoffMin: 10 * time.Millisecond,
			Deliver: func(client.Message) {},
			Settled: func(_ uint64, o client.Outcome) {
				if o.Err == nil {
					acked.Add(1)
				}
			},
			OnLost: func(client.Loss) { lost.Add(1) }}))
	}
	sent := 0
	for end, i := time.Now().Add(3*time.Second), 0; time.Now().Before(end); i++ {
		if err := n.Update(func(u *server.Tunable) {
			u.Alternates = []string{other.Addr(), fmt.Sprintf("127.0.0.1:%d", 1+i%9)}
			u.AdmitRate, u.FailoverRate, u.MaxWindow = float64(500+i%500), float64(i%3*100), time.Duration(1+i%60)*time.Second
			u.MaxConns, u.AddrConns, u.AddrRate, u.IDRate = 30+i%100, i%2*100, 1000, float64(i%2*1000-1)
			u.MaxFrameRate, u.MaxByteRate, u.UnsettledBytes = 100+i%2000, 128<<10+i, 64<<10+i
			u.ClusterSecrets = [][]byte{secret(i), secret(i + 1)}
		}); err != nil {
			t.Fatal(err)
		}
		if i%5 == 0 {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			if _, err := all[i/5%len(all)].Send(ctx, []byte("x")); err != nil {
				t.Error(err)
			}
			cancel()
			sent++
		}
		time.Sleep(time.Millisecond)
	}
	waitFor(t, "all messages are acknowledged", func() bool { return acked.Load() == int64(sent) })
	if n := lost.Load(); n != 0 {
		t.Errorf("%d sessions were lost", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	drained := inBackground(func() error { return n.Drain(ctx) })
	for i := range 200 {
		if err := n.Update(func(u *server.Tunable) {
			u.Alternates, u.DrainWindow = []string{other.Addr()}, time.Duration(1+i%3)*time.Second
		}); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Millisecond)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
	if n := lost.Load(); n != 0 {
		t.Errorf("%d sessions were lost in the drain", n)
	}
}

func inBackground(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}
