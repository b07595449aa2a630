package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/talk"
)

func TestAMessageShowsWhenItWasSent(t *testing.T) {
	now := time.Date(2027, 1, 15, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		e    chatEvent
		want string
	}{
		{chatEvent{Event: "message", User: "al", Text: "hi", Sent: "2027-01-15T10:59:58.000Z", Taken: "2027-01-15T10:59:59.000Z"}, "10:59:59 al: hi"},
		{chatEvent{Event: "message", User: "al", Text: "hi", Sent: "2027-01-14T10:59:58.000Z"}, "2027-01-14 10:59:58 al: hi"},
		{chatEvent{Event: "publication", User: "al", Room: "tea", Text: "hi", Taken: "2027-01-14T23:00:00.000Z"}, "2027-01-14 23:00:00 [tea] al: hi"},
		{chatEvent{Event: "message", User: "al", Text: "hi"}, "12:00:00 al: hi"},
	} {
		if got := tc.e.words(now); got != tc.want {
			t.Errorf("shown as %q, want %q", got, tc.want)
		}
	}
}

// eventMembers are the events of MESSAGING.md, each with the members that it may have.
func eventMembers(t *testing.T) (names []string, members map[string][]string) {
	t.Helper()
	page := readDoc(t, "../../docs/MESSAGING.md")
	_, page, _ = strings.Cut(page, "| event | tells | members beside event and time |\n")
	members = make(map[string][]string)
	for _, line := range strings.Split(page, "\n")[1:] {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 3 {
			break
		}
		name := strings.TrimSpace(cells[0])
		names = append(names, name)
		members[name] = strings.Split(strings.TrimSpace(cells[2]), ", ")
	}
	return names, members
}

func TestThePageListsEveryEventAndMember(t *testing.T) {
	files, err := filepath.Glob("chat*.go")
	if err != nil {
		t.Fatal(err)
	}
	var events []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`\bEvent: +"([a-z]+)"`).FindAllSubmatch(source, -1) {
			events = append(events, string(found[1]))
		}
	}
	slices.Sort(events)
	names, _ := eventMembers(t)
	if want := slices.Compact(events); !slices.Equal(slices.Sorted(slices.Values(names)), want) {
		t.Errorf("MESSAGING.md lists the events %q, the code has %q", names, want)
	}
	var members []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[chatEvent]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		members = append(members, name)
	}
	listed := column(t, readDoc(t, "../../docs/MESSAGING.md"), "| member | is |", 1)
	slices.Sort(members)
	slices.Sort(listed)
	if !slices.Equal(listed, members) {
		t.Errorf("MESSAGING.md lists the members %q, the code has %q", listed, members)
	}
}

// What connect --json prints has the members that the page gives its event, and names its message.
func TestEventsAreAsThePageSays(t *testing.T) {
	addr := hubNode(t, "127.0.0.1:0", "").Addr()
	_, members := eventMembers(t)
	bob := chatter(t, t.TempDir(), addr, "bob/phone", "--json", "--room", "tea room")
	var lines []string
	lines = append(lines, bob.until(`"event":"joined"`))
	_, out := piped(t, chatter(t, t.TempDir(), addr, "ci", "--json"), ":to bob hi\n:join tea room\nall\n:to bob a\xffb\n:rooms\n:who\n:info\n:q\n")
	lines = append(lines, out...)
	said := bob.until(`"text":"hi"`)
	published := bob.until(`"text":"all"`)
	if odd := bob.until(`"content_base64"`); !strings.Contains(odd, `"content_base64":"Yf9i"`) || strings.Contains(odd, `"text"`) {
		t.Errorf("what is no UTF-8 is %s", odd)
	}
	for _, line := range append(lines, said, published) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for member := range e {
			if name, _ := e["event"].(string); member != "event" && member != "time" && !slices.Contains(members[name], member) {
				t.Errorf("MESSAGING.md gives %s no %q: %s", name, member, line)
			}
		}
	}
	var e chatEvent
	if err := json.Unmarshal([]byte(said), &e); err != nil || e.User != "ci" || e.Device != "ci" || e.Message == nil || e.Message.Sender != "ci" ||
		len(e.Message.Incarnation) != 16 || e.Message.Number == 0 || e.Sent == "" || e.Taken == "" {
		t.Errorf("a message is %s, %v", said, err)
	}
	e = chatEvent{}
	if err := json.Unmarshal([]byte(published), &e); err != nil || e.Room != "tea room" || e.Message == nil || len(e.Epoch) != 16 || e.Offset != 1 {
		t.Errorf("a publication is %s, %v", published, err)
	}
}

func TestWhatMayBeTriedAgainSaysSo(t *testing.T) {
	for _, why := range []talk.Refusal{{Code: envelope.CodeTryLater}, {Code: envelope.CodeTryLater, Reason: "the store is late"}} {
		if got := refusalWords(why); !strings.Contains(strings.ToLower(got), "try again") {
			t.Errorf("%+v is %q", why, got)
		}
	}
	if got := refusalWords(talk.Refusal{Code: envelope.CodeForbidden, Reason: "no"}); got != "no" {
		t.Errorf("the node's words are %q", got)
	}
}
