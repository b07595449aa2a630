package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/talk"
)

// person is a user with one device.
type person struct {
	*talk.Talk
	t    *testing.T
	got  chan string // contents
	told chan talk.Receipt
	stop func() // ends it, and waits until it has
}

// newPerson connects a user. One who is mute takes messages and never acknowledges them.
func newPerson(t *testing.T, id string, mute bool, nodes ...string) *person {
	t.Helper()
	p := &person{t: t, got: make(chan string, 100), told: make(chan talk.Receipt, 100)}
	var err error
	p.Talk, err = talk.New(talk.Config{
		Client: client.Config{Endpoints: nodes, ID: id},
		Message: func(m *talk.Message) {
			if mute {
				m.AckLater()
			}
			p.got <- m.From + ": " + string(m.Content)
		},
		Receipt: func(r talk.Receipt) { p.told <- r },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = p.Run(ctx) }()
	p.stop = func() { cancel(); <-ended }
	t.Cleanup(p.stop)
	return p
}

// online waits until the node has welcomed it.
func (p *person) online() *person {
	p.t.Helper()
	waitFor(p.t, "a session", func() bool { return p.Client().Info().State == client.Ready })
	return p
}

func (p *person) hears(want string) {
	p.t.Helper()
	waitFor(p.t, want, func() bool {
		select {
		case got := <-p.got:
			if got != want {
				p.t.Fatalf("got %q, want %q", got, want)
			}
			return true
		default:
			return false
		}
	})
}

func (p *person) says(user, text string, want talk.State) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if o, err := p.SendAcked(ctx, user, []byte(text), talk.Options{}); err != nil || o.State != want {
		p.t.Fatalf("%q to %s: %+v, %v; want it %v", text, user, o, err, want)
	}
}

func TestWhatIsDurableOutlivesAKill(t *testing.T) {
	file := filepath.Join(t.TempDir(), "messages.db")
	addrs := freePorts(t, 2) // it comes back there
	again := []string{"serve", "--listen", addrs[0], "--admin", addrs[1], "--messages", "bolt:" + file}
	a := ready(t, stormwheel(t, again...))
	alice, bob := newPerson(t, "alice", false, a.listen).online(), newPerson(t, "bob/phone", false, a.listen).online()
	alice.says("bob", "hi", talk.Delivered)
	bob.hears("alice: hi")
	bob.says("alice", "hello", talk.Delivered)
	alice.hears("bob: hello")

	bob.stop()
	waitFor(t, "bob has left", func() bool { return a.messageStats().Devices == 1 })
	for _, text := range []string{"one", "two"} {
		alice.says("bob", text, talk.Durable)
	}
	a.signal(syscall.SIGKILL)
	a.exit()
	_ = ready(t, stormwheel(t, again...))
	returned := newPerson(t, "bob/phone", false, a.listen)
	returned.hears("alice: one")
	returned.hears("alice: two")
	for range 2 {
		waitFor(t, "a receipt", func() bool { return len(alice.told) > 0 })
		if r := <-alice.told; r.To != "bob" || r.State != envelope.Delivered {
			t.Errorf("receipt %+v", r)
		}
	}
	waitFor(t, "the store is empty", func() bool { return a.messageStats().Queued == 0 })
}

// What a device was sent and has not acknowledged is in the file when the node has ended.
func TestWhatNobodyHasAcknowledgedIsStoredAtTheEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "messages.db")
	a := serve(t, "--messages", "bolt:"+file, "--drain-grace", "0s")
	alice, bob := newPerson(t, "alice", false, a.listen).online(), newPerson(t, "bob", true, a.listen).online()
	for _, text := range []string{"one", "two"} {
		if _, err := alice.Send(t.Context(), "bob", []byte(text), talk.Options{}); err != nil {
			t.Fatal(err)
		}
		bob.hears("alice: " + text)
	}
	// Nobody else sends it again.
	a.signal(syscall.SIGTERM)
	alice.stop()
	bob.stop()
	if code, _ := a.exit(); code != 0 {
		t.Errorf("exit %d: %s", code, a.stderr.String())
	}
	b := serve(t, "--messages", "bolt:"+file)
	if st := b.messageStats(); st.Queued != 2 || st.Users != 0 {
		t.Errorf("after the restart: %+v", st)
	}
	again := newPerson(t, "bob", false, b.listen)
	again.hears("alice: one")
	again.hears("alice: two")
}

func TestMessagesInMemoryAreLostAloud(t *testing.T) {
	a := serve(t, "--messages", "memory", "--drain-grace", "0s")
	alice := newPerson(t, "alice", false, a.listen).online()
	alice.says("bob", "hi", talk.Held)
	if st := a.messageStats(); st.Users != 1 || st.Devices != 1 || st.Queued != 1 || st.QueuedBytes <= 96 || st.StoreErrors != 0 {
		t.Errorf("/stats says %+v", st)
	}
	_, metrics := a.get("GET", "/metrics")
	for _, line := range []string{"stormwheel_messages_users 1", "stormwheel_messages_queued 1", "stormwheel_messages_store_errors_total 0"} {
		if !strings.Contains(metrics, "\n"+line+"\n") {
			t.Errorf("/metrics does not say %s", line)
		}
	}
	alice.stop()
	a.signal(syscall.SIGTERM)
	if code, _ := a.exit(); code != 0 || !strings.Contains(a.stderr.String(), `msg="messages that were held in memory are lost" messages=1`) {
		t.Errorf("exit %d: %s", code, a.stderr.String())
	}
}

func TestPresenceIsOpenIfItIsTold(t *testing.T) {
	for _, tc := range []struct {
		flags []string
		ok    bool
	}{{nil, false}, {[]string{"--open-presence"}, true}} {
		n := serve(t, append(tc.flags, "--messages", "memory")...)
		alice := newPerson(t, "alice", false, n.listen).online()
		page, err := alice.Online(t.Context(), "", "", 0)
		if (err == nil) != tc.ok || tc.ok && !slices.Equal(page.Names, []string{"alice"}) {
			t.Errorf("%v: %+v, %v", tc.flags, page, err)
		}
	}
}

// numbers are the member messages of /stats.
type numbers struct {
	Users, Devices, Rooms, Members, Queued int
	QueuedBytes                            int `json:"queued_bytes"`
	StoreErrors                            int `json:"store_errors"`
}

func (n *node) messageStats() numbers {
	n.t.Helper()
	var stats struct{ Messages *numbers }
	_, body := n.get("GET", "/stats")
	if err := json.Unmarshal([]byte(body), &stats); err != nil || stats.Messages == nil {
		n.t.Fatalf("/stats: %v: %s", err, body)
	}
	return *stats.Messages
}

func TestWithoutMessagesNothingIsSaidOfThem(t *testing.T) {
	n := serve(t)
	_, stats := n.get("GET", "/stats")
	_, metrics := n.get("GET", "/metrics")
	if strings.Contains(stats, `"messages"`) || strings.Contains(metrics, "stormwheel_messages_") {
		t.Errorf("a node without messages says\n%s\n%s", stats, metrics)
	}
}

// A file that cannot be the store is one line with its name.
func TestAStoreThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	used, damaged := filepath.Join(dir, "used"), filepath.Join(dir, "damaged")
	serve(t, "--messages", "bolt:"+used)
	n := serve(t, "--messages", "bolt:"+damaged)
	n.signal(syscall.SIGTERM)
	n.exit()
	content, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	file("damaged", string(content[:len(content)/4]))
	for path, want := range map[string]string{
		used: "another process has " + used + " open",
		file("noise", strings.Repeat("no store", 5000)): "damaged, or is no store",
		damaged:                            "damaged",
		dir:                                "no regular file",
		filepath.Join(dir, "none", "file"): "no such file or directory",
	} {
		p := stormwheel(t, "serve", "--listen", "127.0.0.1:0", "--messages", "bolt:"+path)
		code, out := p.exit()
		said := p.stderr.String()
		if code != exitError || len(out) != 0 || strings.Count(said, "\n") != 1 || !strings.Contains(said, "--messages: ") ||
			!strings.Contains(said, path) || !strings.Contains(said, want) {
			t.Errorf("%s: exit %d, output %q, error %q, want %q", path, code, out, said, want)
		}
	}
}

func TestMessageFlagsThatDoNotGoTogether(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"--messages bolt", `--messages must be memory, bolt:FILE or off, not "bolt"`},
		{"--messages=", `--messages must be memory, bolt:FILE or off, not ""`},
		{"--messages bolt:", "--messages bolt: needs a file"},
		{"--messages memory:x", `not "memory:x"`},
		{"--messages memory --echo", "do not go with --messages"},
		{"--messages memory --no-echo", "do not go with --messages"},
		{"--messages bolt:x --publish 64B", "--publish does not go with --messages"},
		{"--messages memory --admin-token-file x", "--admin-token-file needs --admin"},
		{"--admin 127.0.0.1:0 --admin-token-file x", "--admin-token-file needs --admin"},
		{"--open-presence", "--open-presence needs --messages"},
		{"--open-presence --messages off", "--open-presence needs --messages"},
	} {
		p := stormwheel(t, append([]string{"serve", "--listen", "127.0.0.1:0"}, strings.Fields(tc.args)...)...)
		code, out := p.exit()
		if said := p.stderr.String(); code != exitUsage || len(out) != 0 || strings.Count(said, "\n") != 1 || !strings.Contains(said, tc.want) {
			t.Errorf("%s: exit %d, output %q, error %q; want %q", tc.args, code, out, said, tc.want)
		}
	}
}

func TestMessageMetricsAreOnThePage(t *testing.T) {
	page := readDoc(t, "../../docs/OPERATIONS.md")
	var want []string
	for _, m := range messageMetrics {
		_, rest, _ := strings.Cut(m.desc.String(), `fqName: "`)
		name, rest, _ := strings.Cut(rest, `", help: "`)
		help, _, _ := strings.Cut(rest, `"`)
		want = append(want, name+" "+help)
	}
	sameRows(t, "metrics of messages", column(t, page, "| metric of messages | meaning |", 2), want)
}
