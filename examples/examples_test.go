package examples

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
)

// Every example is run as its reader would, with a real client at the other end.

var built string // folder of the programs

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if built, err = os.MkdirTemp("", "examples"); err != nil {
			panic(err)
		}
		defer os.RemoveAll(built)
		build := exec.Command("go", "build", "-o", built+"/", "./...")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

var listening = regexp.MustCompile(`listening addr=(\S+)`)

// program is an example that runs.
type program struct {
	*exec.Cmd
	in    io.Writer // what is typed
	addr  string
	said  string // before it listened
	ended chan error
}

// run starts an example at a free port, and waits until it listens.
func run(t *testing.T, name string, args ...string) *program {
	t.Helper()
	p := &program{Cmd: exec.Command(filepath.Join(built, name), append([]string{"-listen", "127.0.0.1:0"}, args...)...), ended: make(chan error, 1)}
	out, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.in, err = p.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	go func() {
		var log strings.Builder
		for in := bufio.NewScanner(out); in.Scan(); {
			log.WriteString(in.Text() + "\n")
			if m := listening.FindStringSubmatch(in.Text()); m != nil && p.addr == "" {
				p.addr, p.said = m[1], log.String()
				close(ready)
			}
		}
		err := p.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
		p.ended <- err // the last that it does: the test waits for it
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
	})
	select {
	case <-ready:
	case err := <-p.ended:
		p.ended <- err
		t.Fatalf("%s does not listen, and ends with %v", name, err)
	case <-time.After(time.Minute):
		t.Fatalf("%s does not listen", name)
	}
	return p
}

// join runs a client of an example and returns it with the bodies that it is sent.
func join(t *testing.T, addr string, cfg client.Config) (*client.Client, <-chan string) {
	t.Helper()
	got := make(chan string, 100)
	cfg.Endpoints = []string{addr}
	cfg.Deliver = func(m client.Message) { got <- string(m.Body) }
	return start(t, cfg), got
}

// start runs a client until the test ends.
func start(t *testing.T, cfg client.Config) *client.Client {
	t.Helper()
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return c
}

func next(t *testing.T, got <-chan string) string {
	t.Helper()
	select {
	case body := <-got:
		return body
	case <-time.After(time.Minute):
		t.Fatal("nothing within a minute")
		return ""
	}
}

func TestEcho(t *testing.T) {
	c, got := join(t, run(t, "echo").addr, client.Config{ID: "alice"})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.SendAcked(ctx, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if body := next(t, got); body != "hello" {
		t.Errorf("%q came back", body)
	}
}

func TestBroadcast(t *testing.T) {
	p := run(t, "broadcast", "-every", "50ms")
	for _, id := range []string{"alice", "bob"} {
		_, got := join(t, p.addr, client.Config{ID: id})
		if _, err := time.Parse(time.RFC3339, next(t, got)); err != nil {
			t.Error(err)
		}
	}
}

func TestAuth(t *testing.T) {
	who := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer good":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Query().Get("id") == "alice/phone":
			_, _ = w.Write([]byte(`{"user": "alice"}`))
		}
	}))
	defer who.Close()
	p := run(t, "auth", "-backend", who.URL)
	token := func(token string) func(context.Context) ([]byte, error) {
		return func(context.Context) ([]byte, error) { return []byte(token), nil }
	}
	_, got := join(t, p.addr, client.Config{ID: "alice/phone", TokenSource: token("good")})
	if body := next(t, got); body != "hello, alice" {
		t.Errorf("%q", body)
	}
	refused, _ := join(t, p.addr, client.Config{ID: "eve", TokenSource: token("bad")})
	for end := time.Now().Add(time.Minute); refused.Info().LastError == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a bad token is not refused")
		}
	}
}

// What the caller hears by HTTP is what the client's application has done with the message.
func TestPush(t *testing.T) {
	patient := run(t, "push", "-http", "127.0.0.1:0", "-limit", "1m")
	hurried := run(t, "push", "-http", "127.0.0.1:0", "-limit", "100ms") // for who does not answer at all
	push := func(by *program, id, body string) (status int, results []string) {
		t.Helper()
		where := regexp.MustCompile(`POST (\S+)CLIENT`).FindStringSubmatch(by.said)
		if where == nil {
			t.Fatalf("it does not say where: %s", by.said)
		}
		answer, err := http.Post(where[1]+id, "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			results = append(results, strings.TrimSpace(line))
		}
		return answer.StatusCode, results
	}
	want := func(by *program, id, body string, wantStatus int, want ...string) {
		t.Helper()
		if status, results := push(by, id, body); status != wantStatus || !slices.Equal(results, want) {
			t.Errorf("%.9s to %s: %d %q, want %d %q", body, id, status, results, wantStatus, want)
		}
	}
	want(patient, "", "hello", http.StatusNotFound, "nobody is there")
	want(patient, "alice", "hello", http.StatusNotFound, "nobody is there")
	got := make(chan string, 100)
	deliver := func(m client.Message) {
		switch body := string(m.Body); body {
		case "refuse":
			_ = m.Nack(100, "not for me")
		case "sleep":
			m.AckLater()
		default:
			got <- body
		}
	}
	for _, p := range []*program{patient, hurried} {
		c := start(t, client.Config{ID: "alice", Endpoints: []string{p.addr}, Deliver: deliver})
		for end := time.Now().Add(time.Minute); c.Info().State != client.Ready; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("no session")
			}
		}
	}
	want(patient, "alice", "hello", http.StatusOK, "acknowledged")
	if body := next(t, got); body != "hello" {
		t.Errorf("%q was pushed", body)
	}
	want(patient, "alice", "refuse", http.StatusOK, "refused not for me")
	want(hurried, "alice", "sleep", http.StatusServiceUnavailable, "not all have answered")
	want(patient, "bob", "hello", http.StatusNotFound, "nobody is there")
	// No more than is read in any case: what is left unread costs the connection, and the answer with it.
	want(patient, "alice", strings.Repeat("x", codec.MaxBody+1), http.StatusRequestEntityTooLarge, "http: request body too large")
}

// The client is handed over: it is never without a session, and the node ends with success.
func TestGraceful(t *testing.T) {
	other := run(t, "echo")
	p := run(t, "graceful", "-alternates", other.addr, "-grace", "100ms")
	c, _ := join(t, p.addr, client.Config{ID: "alice"})
	ready := func(addr string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); c.Info().State != client.Ready || c.Info().Endpoint != addr; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("not at %s: %+v", addr, c.Info())
			}
		}
	}
	ready(p.addr)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ready(other.addr)
	select {
	case err := <-p.ended:
		if err != nil {
			t.Errorf("the node ends with %v", err)
		}
		p.ended <- err
	case <-time.After(time.Minute):
		t.Error("the node does not end")
	}
	if info := c.Info(); info.Losses != 0 || info.Sessions != 2 {
		t.Errorf("%d losses, %d sessions; want a handover", info.Losses, info.Sessions)
	}
}

// What the page's client does is tested in clients/js.
func TestPage(t *testing.T) {
	p := run(t, "page", "-nodes", "ws://127.0.0.1:7000/,ws://127.0.0.1:7001/")
	for path, want := range map[string]string{
		"/": `import { Client } from "./stormwheel.js"`, "/stormwheel.js": "export {", "/nodes.json": `["ws://127.0.0.1:7000/","ws://127.0.0.1:7001/"]`,
	} {
		r, err := http.Get("http://" + p.addr + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("GET %s: %d %v, and not %q", path, r.StatusCode, err, want)
		}
	}
}
