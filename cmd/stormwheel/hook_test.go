package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging/hook"
	"github.com/stormwheel/stormwheel/messaging/talk"
)

// rules are a back end that allows everything, until it is told to say nothing.
type rules struct {
	url string

	mu     sync.Mutex
	silent chan struct{} // not nil: answers wait until it is closed
	heads  []http.Header
	bodies []string
	events []string // type and user
}

func newRules(t *testing.T) *rules {
	t.Helper()
	r := new(rules)
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	r.url = srv.URL
	return r
}

func (r *rules) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	var call struct {
		Data struct {
			Events []struct{ Type, User string }
		}
	}
	_ = json.Unmarshal(body, &call)
	r.mu.Lock()
	r.heads, r.bodies = append(r.heads, q.Header), append(r.bodies, string(body))
	for _, e := range call.Data.Events {
		r.events = append(r.events, strings.TrimSpace(e.Type+" "+e.User))
	}
	silent := r.silent
	r.mu.Unlock()
	if silent != nil {
		<-silent
	}
	_, _ = io.WriteString(w, `{"result":"allow"}`)
}

// hush has it say nothing until speak is called.
func (r *rules) hush() (speak func()) {
	silent := make(chan struct{})
	r.mu.Lock()
	r.silent = silent
	r.mu.Unlock()
	return sync.OnceFunc(func() {
		r.mu.Lock()
		r.silent = nil
		r.mu.Unlock()
		close(silent)
	})
}

func (r *rules) told() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

func (n *node) hookStats() (st hook.Stats) {
	n.t.Helper()
	var all struct{ Hooks *hook.Stats }
	_, body := n.get("GET", "/stats")
	if err := json.Unmarshal([]byte(body), &all); err != nil || all.Hooks == nil {
		n.t.Fatalf("/stats: %v: %s", err, body)
	}
	return *all.Hooks
}

// A back end that takes calls and never answers keeps newcomers out, and harms nobody who is in.
func TestASilentBackEndHarmsNobodyWhoIsIn(t *testing.T) {
	r := newRules(t)
	n := serve(t, "--messages", "memory", "--hook", r.url, "--hook-timeout", "500ms")
	alice, bob := newPerson(t, "alice", false, n.listen).online(), newPerson(t, "bob", false, n.listen).online()
	speak := r.hush()
	defer speak()
	dave := newPerson(t, "dave", false, n.listen)
	waitFor(t, "a login that hangs", func() bool { return n.hookStats().Login.InFlight > 0 })
	for range 10 {
		alice.says("bob", "hi", talk.Delivered)
		bob.hears("alice: hi")
	}
	waitFor(t, "a login without an answer", func() bool { return n.hookStats().Login.Failed > 0 })
	alice.says("bob", "hi", talk.Delivered)
	if st := n.hookStats().Login; st.Allowed != 2 || n.messageStats().Devices != 2 {
		t.Errorf("%+v, %d devices; want only two that were let in", st, n.messageStats().Devices)
	}
	speak()
	dave.online()
}

// What the policy decides waits for the back end, and nothing else.
func TestASilentBackEndRefusesWhatItIsToDecide(t *testing.T) {
	r := newRules(t)
	n := serve(t, "--messages", "memory", "--hook", r.url, "--hook-timeout", "300ms", "--hook-events", "join")
	alice, bob := newPerson(t, "alice", false, n.listen).online(), newPerson(t, "bob", false, n.listen).online()
	defer r.hush()()
	alice.Join("tea")
	waitFor(t, "a join without an answer", func() bool { return n.hookStats().Policy.Failed > 0 })
	alice.says("bob", "hi", talk.Delivered)
	bob.hears("alice: hi")
	if st := n.messageStats(); st.Members != 0 {
		t.Errorf("%d members, want none", st.Members)
	}
}

func TestEventsAreToldToTheLastOne(t *testing.T) {
	r := newRules(t)
	n := serve(t, "--messages", "memory", "--hook", r.url, "--hook-events", "online,undelivered", "--drain-grace", "0s")
	newPerson(t, "alice", false, n.listen).online().says("bob", "hi", talk.Held)
	speak := r.hush() // the last events wait for it
	defer speak()
	mute := newPerson(t, "mute", true, n.listen).online()
	if _, err := mute.Send(t.Context(), "mute", []byte("to myself"), talk.Options{}); err != nil {
		t.Fatal(err)
	}
	mute.hears("mute: to myself")
	n.signal(syscall.SIGTERM)
	waitFor(t, "a drain", func() bool { return strings.Contains(n.stderr.String(), "handing the clients over") })
	speak()
	if code, _ := n.exit(); code != 0 {
		t.Errorf("exit %d: %s", code, n.stderr.String())
	}
	// Only those of one user have an order.
	want := []string{"node_started", "online alice", "online mute", "undelivered bob", "undelivered mute", "node_stopped"}
	got := r.told()
	if len(got) == len(want) && slices.Index(got, "online mute") < slices.Index(got, "undelivered mute") {
		slices.Sort(got[1 : len(got)-1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestABackEndThatIsGoneHoldsUpNoEnd(t *testing.T) {
	r := newRules(t)
	n := serve(t, "--messages", "memory", "--hook", r.url, "--hook-events", "online", "--drain-grace", "0s")
	waitFor(t, "the start", func() bool { return slices.Contains(r.told(), "node_started") })
	defer r.hush()()
	alice := newPerson(t, "alice", false, n.listen).online()
	waitFor(t, "a batch under way", func() bool { return slices.Contains(r.told(), "online alice") })
	alice.stop()
	n.signal(syscall.SIGTERM)
	if code, _ := n.exit(); code != 0 || !strings.Contains(n.stderr.String(), "2 events were not told") {
		t.Errorf("exit %d: %s", code, n.stderr.String())
	}
}

func TestHookSecretsAreReadAgain(t *testing.T) {
	a, b := strings.Repeat("a", 32), strings.Repeat("b", 32)
	file := write(t, "hook.secret", a+"\n")
	r := newRules(t)
	n := serve(t, "--hook", r.url, "--hook-secret-file", file)
	check := func(id string, good, bad []string) {
		t.Helper()
		newPerson(t, id, false, n.listen).online().stop()
		r.mu.Lock()
		defer r.mu.Unlock()
		head, body := r.heads[len(r.heads)-1], []byte(r.bodies[len(r.bodies)-1])
		for _, secret := range good {
			if err := hook.Verify(head, body, time.Now(), []byte(secret)); err != nil {
				t.Errorf("%s: %v with %s", id, err, secret)
			}
		}
		for _, secret := range bad {
			if err := hook.Verify(head, body, time.Now(), []byte(secret)); err == nil {
				t.Errorf("%s: %s still signs", id, secret)
			}
		}
	}
	rewrite := func(text, says string) {
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
	check("one", []string{a}, []string{b})
	rewrite(a+"\n"+b+"\n", "secrets were read again")
	check("two", []string{a, b}, nil)
	rewrite("whsec_"+strings.Repeat("%", 32)+"\n", "the old secrets stay")
	check("three", []string{a, b}, nil)
	rewrite(b+"\n", "secrets were read again")
	check("four", []string{b}, []string{a})
}

func TestHookFlagsThatMakeNoSense(t *testing.T) {
	short := write(t, "short", "whsec_"+strings.Repeat("A", 28)+"\n")
	for _, tc := range []struct {
		args, want string
		code       int
	}{
		{"--hook app.example/hook", "--hook: the URL must be one as in https://app.example/hook", exitUsage},
		{"--hook https://me:sesame@app.example/", "--hook: the URL must have no user and password", exitUsage},
		{"--hook-secret-file x", "need --hook", exitUsage},
		{"--hook-events login", "need --hook", exitUsage},
		{"--hook http://localhost --hook-timeout 4s", "--hook-timeout must be within 10ms and 3s, not 4s", exitUsage},
		{"--hook http://localhost --hook-events login,logout", `there is no "logout"`, exitUsage},
		{"--hook http://localhost --hook-events node_started", `there is no "node_started"`, exitUsage},
		{"--hook http://localhost --hook-events login,offline", "--hook-events offline needs --messages", exitUsage},
		{"--hook http://localhost --hook-events message", "--hook-events message needs --messages", exitUsage},
		{"--hook http://localhost --auth-secret-file x", "so does --auth-secret-file", exitUsage},
		{"--hook http://localhost --hook-secret-file " + short, "a secret is shorter than 24 bytes", exitError},
	} {
		p := stormwheel(t, append([]string{"serve", "--listen", "127.0.0.1:0"}, strings.Fields(tc.args)...)...)
		code, out := p.exit()
		said := p.stderr.String()
		if code != tc.code || len(out) != 0 || strings.Count(said, "\n") != 1 || !strings.Contains(said, tc.want) || strings.Contains(said, "sesame") {
			t.Errorf("%s: exit %d, output %q, error %q; want %q", tc.args, code, out, said, tc.want)
		}
	}
}

func TestHookMetricsAreOnThePage(t *testing.T) {
	n := serve(t, "--hook", newRules(t).url)
	_, metrics := n.get("GET", "/metrics")
	var want []string
	for line := range strings.Lines(metrics) {
		if name, is := strings.CutPrefix(line, "# TYPE stormwheel_hook_"); is {
			name, _, _ = strings.Cut(name, " ")
			want = append(want, "stormwheel_hook_"+name)
		}
	}
	got := column(t, readDoc(t, "../../docs/HOOKS.md"), "| metric of hooks | meaning |", 1)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("HOOKS.md lists %q, there are %q", got, want)
	}
}

// The back end of docs/HOOKS.md, as it stands there.
func TestTheBackEndOfThePage(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	blocks := fenced(readDoc(t, "../../docs/HOOKS.md"), "python")
	if len(blocks) != 1 {
		t.Fatalf("HOOKS.md has %d programs, want one", len(blocks))
	}
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	backEnd := start(t, []string{"HOOK_SECRET=" + secret}, python, write(t, "hook.py", blocks[0]), "0")
	_, port, _ := strings.Cut(backEnd.until("ready "), " ")
	n := serve(t, "--messages", "memory", "--hook", "http://127.0.0.1:"+port, "--hook-secret-file", write(t, "secret", secret+"\n"),
		"--hook-events", "login,message,online,undelivered", "--hook-timeout", "3s")
	backEnd.until("node_started")
	right, wrong := write(t, "right", "open sesame"), write(t, "wrong", "open barley")

	bob := stormwheel(t, "connect", "--server", n.listen, "--id", "bob", "--token-file", wrong)
	if code, _ := bob.exit(); code == 0 || !strings.Contains(bob.stderr.String(), "unauthorized") {
		t.Errorf("with the wrong word: exit %d, %s", code, bob.stderr.String())
	}
	say := func(to string) (code int, said string) {
		p := chatter(t, t.TempDir(), n.listen, "alice", "--token-file", right, "--to", to)
		code, out := piped(t, p, "hi\n")
		return code, strings.Join(out, "\n") + p.stderr.String()
	}
	if code, said := say("carol"); code != 0 {
		t.Errorf("to carol: exit %d, %s", code, said)
	}
	backEnd.until("online alice")
	backEnd.until("undelivered carol")
	if code, said := say("boss"); code != exitRefused || !strings.Contains(said, "the boss is busy") {
		t.Errorf("to the boss: exit %d, %s", code, said)
	}
	if st := n.hookStats(); st.Login.Denied == 0 || st.Policy.Denied != 1 {
		t.Errorf("%+v", st)
	}

	// Who signs with another secret is not heard: nobody comes in.
	stranger := serve(t, "--hook", "http://127.0.0.1:"+port, "--hook-secret-file", write(t, "secret", strings.Repeat("x", 32)+"\n"))
	newPerson(t, "mallory", false, stranger.listen)
	waitFor(t, "a call without an answer", func() bool { return stranger.hookStats().Login.Failed > 0 })
	if st := stranger.hookStats(); st.Login.Allowed > 0 {
		t.Errorf("a stranger's call was answered: %+v", st)
	}
}
