package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

// hubNode is a node in this process that runs messages: on disk if file is not "", in memory otherwise.
func hubNode(t *testing.T, listen, file string) (srv *server.Server) {
	t.Helper()
	var store messaging.Store = messaging.NewMemory(messaging.Bounds{})
	if file != "" {
		var err error
		if store, err = messaging.OpenBolt(file, messaging.Bounds{}); err != nil {
			t.Fatal(err)
		}
	}
	hub, err := messaging.New(messaging.Config{Store: store, OpenPresence: true, RingMessages: 2})
	if err != nil {
		t.Fatal(err)
	}
	srv, err = server.New(server.Config{Node: "n", Listen: listen, Handler: hub.Handler()})
	if err == nil {
		err = hub.Start(srv)
	}
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = srv.Stop(context.Background())
		_ = hub.Close(context.Background())
		_ = store.Close()
	})
	return srv
}

// chatter runs connect --chat with a state folder of its own.
func chatter(t *testing.T, state, addr, id string, more ...string) *process {
	t.Helper()
	args := append([]string{"connect", "--chat", "--server", addr, "--id", id}, more...)
	return start(t, []string{"XDG_STATE_HOME=" + state}, os.Args[0], args...)
}

// piped gives a chat its whole input and returns how it ended.
func piped(t *testing.T, p *process, input string) (code int, out []string) {
	t.Helper()
	if _, err := io.WriteString(p.stdin, input); err != nil {
		t.Fatal(err)
	}
	if err := p.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	return p.exit()
}

func TestAPipedMessageWaitsForItsAcknowledgement(t *testing.T) {
	addr := hubNode(t, "127.0.0.1:0", filepath.Join(t.TempDir(), "store")).Addr()
	state := t.TempDir()
	code, out := piped(t, chatter(t, state, addr, "ci", "--to", "bob"), "hi :wave:\n")
	if code != 0 || !slices.Contains(out, "  ✓ bob: hi 👋") {
		t.Errorf("exit %d, shows %q, want one tick", code, out)
	}
	bob := chatter(t, state, addr, "bob/laptop")
	if line := bob.until("ci: "); !strings.HasSuffix(line, " ci: hi 👋") {
		t.Errorf("bob sees %q", line)
	}
	code, out = piped(t, start(t, nil, os.Args[0], "connect", "--server", addr, "--id", "ci", "--to", "bob"), "again\n") // --to implies --chat
	if code != 0 || !slices.Contains(out, "  ✓✓ bob: again") {
		t.Errorf("exit %d, shows %q, want two ticks", code, out)
	}
}

func TestTheSecondTickComesWhenADeviceTakesTheMessage(t *testing.T) {
	addr := hubNode(t, "127.0.0.1:0", filepath.Join(t.TempDir(), "store")).Addr()
	state := t.TempDir()
	alice := chatter(t, state, addr, "alice")
	alice.say(":to bob psst")
	alice.until("  ✓ bob: psst")
	bob := chatter(t, state, addr, "bob")
	bob.until(" alice: psst")
	alice.until("  ✓✓ bob: psst")
}

func TestExitCodesOfAPipedChat(t *testing.T) {
	t.Parallel() // one waits
	addr := hubNode(t, "127.0.0.1:0", "").Addr()
	for _, tc := range []struct {
		name, addr, input string
		more              []string
		code              int
		said              string
	}{
		{"held is acknowledged", addr, "hi\n", []string{"--to", "bob"}, 0, ""},
		{"no node", "127.0.0.1:1", "hi\n", []string{"--to", "bob"}, exitNoSession, "never connected"},
		{"refused", addr, strings.Repeat("x", 62<<10) + "\n", []string{"--to", "bob"}, exitRefused, "1 of 1 messages were refused"},
		{"a node without messages", silentNode(t), "hi\n", []string{"--to", "bob"}, exitUnsettled, "nobody knows what became of 1 of 1 messages"},
		{"nobody to talk to", addr, "hi\n", nil, exitRefused, "1 lines could not be done"},
		{"no such command", addr, ":bogus\n", nil, exitRefused, "1 lines could not be done"},
		{"a line too long", addr, strings.Repeat("x", 66<<10) + "\n", []string{"--to", "bob"}, exitError, "a line is longer than"},
		{"both", addr, "", []string{"--to", "bob", "--room", "tea"}, exitUsage, "exclude each other"},
		{"nobody", addr, "", []string{"--to", ""}, exitUsage, "--to: which user?"},
		{"no room", addr, "", []string{"--room="}, exitUsage, "--room: which room?"},
		{"a device", addr, "", []string{"--to", "bob/phone"}, exitUsage, "is a device"},
	} {
		p := chatter(t, t.TempDir(), tc.addr, "ci", tc.more...)
		_, _ = io.WriteString(p.stdin, tc.input) // it may have ended
		_ = p.stdin.Close()
		if code, _ := p.exit(); code != tc.code || !strings.Contains(p.stderr.String(), tc.said) {
			t.Errorf("%s: exit %d, want %d: %s", tc.name, code, tc.code, p.stderr.String())
		}
	}
}

// silentNode acknowledges whatever it gets and carries no messages.
func silentNode(t *testing.T) string {
	t.Helper()
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Handler: server.Handler{
		Message: func(s *server.Session, m server.Message) { _ = s.Ack(m.Number) }}})
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	return srv.Addr()
}

func TestANodeWithoutMessagesIsTold(t *testing.T) {
	alice := chatter(t, t.TempDir(), silentNode(t), "alice", "--to", "bob")
	alice.say("hi")
	alice.until("  ? bob: hi (unknown: " + noMessages + ")")
	alice.say(":olu")
	alice.until("! " + noMessages)
	alice.say(":q!")
	alice.exit()
}

func TestTimesForPeopleAreTheirs(t *testing.T) {
	berlin := time.FixedZone("", 2*60*60)
	now := time.Date(2027, 1, 15, 23, 30, 0, 0, berlin)
	for stamp, want := range map[string]string{"2027-01-15T21:45:00.500Z": "23:45:00", "2027-01-15T22:45:00.000Z": "2027-01-16 00:45:00", "odd": "odd"} {
		if got := clock(stamp, now); got != want {
			t.Errorf("clock(%q) = %q, want %q", stamp, got, want)
		}
	}
}

func TestEveryCommandOfTheChat(t *testing.T) {
	addr := hubNode(t, "127.0.0.1:0", "").Addr()
	state := t.TempDir()
	bob := chatter(t, state, addr, "bob")
	bob.say(":join tea")
	bob.until("* joined [tea], nobody else is there")
	alice := chatter(t, state, addr, "alice")
	for _, step := range []struct{ say, want string }{
		{":all", ":all             all commands"},
		{":olu", "  alice bob"},
		{":pu bo", "  bob"},
		{":pu zz", "  nobody"},
		{":more", "! there is no more"},
		{":rooms", "  none"},
		{":leave tea", "! you are not in [tea]"},
		{"hello?", "! nobody to talk to"},
		{":to bob", ""},
		{"plain :heart:", "  ✓✓ bob: plain 💖"},
		{":smile: first", "  ✓✓ bob: 😄 first"},
		{":delay 10ms late", "  ✓✓ bob: late"},
		{":delay soon late", "! as in :delay 30s text"},
		{":join tea", "* joined [tea], 2 are there"},
		{"cup?", "  · [tea]: cup?"},
		{":delay 1s cup", "! a room has no delayed messages"},
		{":rooms", "  tea"},
		{":who tea", "  alice bob"},
		{":who", "  alice bob"},
		{":leave", "* left [tea]"},
		{"who hears?", "  ✓✓ bob: who hears?"}, // as before the room
		{":emoji", "👋 :wave:"},
		{":info", "  state       ready"},
		{":q PLAIN", "> bob: plain 💖"},
		{":q nonsense", "* nonsense is not in the history"},
		{":away lunch", "* you are away: lunch"},
	} {
		alice.say(step.say)
		if step.want != "" {
			alice.until(step.want)
		}
	}
	bob.until(" alice: late")
	bob.until(" [tea] alice: cup?")
	bob.say(":to alice ping")
	bob.until(" alice: (away) lunch")
	bob.say(":to alice ping again")
	bob.until("✓✓ alice: ping again")
	alice.say(":away")
	alice.until("* you are back")
	alice.say(":q")
	if code, rest := alice.exit(); code != exitRefused { // five lines of the pipe could not be done
		t.Errorf(":q exits with %d: %q", code, rest)
	}
	bob.say(":q!")
	if code, rest := bob.exit(); code != 0 || strings.Contains(strings.Join(rest, "\n"), "(away)") {
		t.Errorf(":q! exits with %d, after %q", code, rest)
	}
}

func TestAGapOfARoomIsTold(t *testing.T) {
	addr := freePorts(t, 1)[0] // it comes back there
	srv := hubNode(t, addr, "")
	bob := chatter(t, t.TempDir(), addr, "bob", "--room", "tea")
	bob.until("joined [tea]")
	if err := srv.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	bob.until("lost node n")
	hubNode(t, addr, "")
	bob.until("back on node n")
	bob.until("* [tea] missed messages; nobody knows how many")
}

func TestControlCharactersOfOthersDoNotReachTheTerminal(t *testing.T) {
	addr := hubNode(t, "127.0.0.1:0", "").Addr()
	bob := chatter(t, t.TempDir(), addr, "bob")
	script := chatter(t, t.TempDir(), addr, "bob2", "--json")
	bob.until("connected")
	script.until(`"state":"ready"`)
	const evil = "a\x1b[2Jb\u009bc\u202ed"
	for to, text := range map[string]string{"bob": evil + "\xffe", "bob2": evil} {
		if code, _ := piped(t, chatter(t, t.TempDir(), addr, "eve", "--to", to), text+"\n"); code != 0 {
			t.Fatalf("exit %d", code)
		}
	}
	if line := bob.until("eve: "); !strings.HasSuffix(line, ` eve: a\x1b[2Jb\u009bc\u202ed\xffe`) {
		t.Errorf("shown as %q", line)
	}
	line := script.until(`"event":"message"`)
	var e chatEvent
	if err := json.Unmarshal([]byte(line), &e); err != nil || e.User != "eve" || e.Text != evil || line != clean(line) {
		t.Errorf("shown as %q: %+v, %v", line, e, err)
	}
}

func TestEventsOfAScript(t *testing.T) {
	addr := hubNode(t, "127.0.0.1:0", "").Addr()
	code, out := piped(t, chatter(t, t.TempDir(), addr, "ci", "--json"), ":to bob hi\n:join tea\n:who\n:info\n:rooms\n:bogus\n:q hi\n")
	if code != exitRefused {
		t.Errorf("exit %d", code)
	}
	seen := map[string]chatEvent{}
	for _, line := range out {
		var e chatEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if _, err := time.Parse(time.RFC3339, e.Time); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		seen[e.Event] = e
	}
	if o := seen["outcome"]; o.State != "held" || o.User != "bob" || o.Text != "hi" || o.Number == 0 {
		t.Errorf("the outcome is %+v", o)
	}
	if p := seen["page"]; !slices.Equal(p.Names, []string{"ci"}) {
		t.Errorf("the page is %+v", p)
	}
	for _, name := range []string{"connection", "joined", "info", "rooms", "error", "found"} {
		if _, ok := seen[name]; !ok {
			t.Errorf("no event %q in %q", name, out)
		}
	}
}

func TestTheHistoryIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "chat-x")
	h, err := openHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("x", 10_000)
	for i := range 500 {
		h.add(time.Unix(0, 0), "bob", "", fmt.Sprintf("%s %d", text, i))
	}
	h.close()
	info, err := os.Stat(path)
	if err != nil || info.Size() > 2*historyBytes || info.Size() < historyBytes/2 || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file is %v, %v", info, err)
	}
	if h.bytes > historyBytes {
		t.Errorf("%d bytes in memory", h.bytes)
	}
	again, err := openHistory(path)
	if err != nil || len(again.search("x 499")) != 1 || len(again.search("x 0")) != 0 || len(again.search("xx")) != foundMost {
		t.Errorf("read again: %v, %d", err, len(again.search("xx")))
	}
	again.close()
}

func TestCompletion(t *testing.T) {
	c := newChat("alice", false)
	c.heardOf("bob", "bert", "bad name", "zoe")
	c.rooms["tea"] = true
	for typed, want := range map[string][]string{
		":de":     {"lay "},
		":to b":   {"ert ", "ob "},
		":join t": {"ea "},
		"hi :wav": {"e: "},
		"ask zo":  {"e "},
		"xyz":     nil,
	} {
		rests, _ := completer{c}.Do([]rune(typed), len(typed))
		var got []string
		for _, r := range rests {
			got = append(got, string(r))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q completes to %q, want %q", typed, got, want)
		}
	}
}

func TestANodeThatTellsNotWhoIsOnlineIsExplained(t *testing.T) {
	alice := chatter(t, t.TempDir(), serve(t, "--messages", "memory").listen, "alice")
	for _, ask := range []string{":olu", ":pu b"} {
		alice.say(ask)
		alice.until("! " + closedPresence)
	}
}
