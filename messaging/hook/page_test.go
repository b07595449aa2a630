package hook

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

func readPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/HOOKS.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// lines are those of the blocks fenced as a language.
func lines(t *testing.T, language string) (all []string) {
	t.Helper()
	for _, part := range strings.Split(readPage(t), "\n```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(part, "\n```")
		all = append(all, strings.Split(block, "\n")...)
	}
	if len(all) == 0 {
		t.Fatalf("the page has no %s", language)
	}
	return all
}

var (
	onPage = time.Date(2027, 1, 15, 8, 0, 0, 123e6, time.UTC)
	alice  = messaging.Request{Client: "alice/phone", User: "alice"}
)

func wishes() (all []messaging.Request) {
	message, room, join, watch, ask := alice, alice, alice, alice, alice
	message.Kind, message.ToUser, message.Data = envelope.ToUser, "bob", Data(`{"plan":"free"}`)
	message.At, message.Content = onPage.Add(30*time.Second), []byte("hi")
	room.Kind, room.Room, room.Member, room.Content = envelope.ToRoom, "kitchen", true, []byte{0xff, 0xfe}
	join.Kind, join.Room = envelope.Join, "kitchen"
	watch.Kind, watch.ToUser = envelope.Watch, "bob"
	ask.Kind, ask.Ask, ask.Room, ask.Member = envelope.Ask, envelope.RoomMembers, "kitchen", true
	return []messaging.Request{message, room, join, watch, ask}
}

func pageEvents() (all []messaging.Event) {
	id := messaging.ID{Sender: "alice/phone", Incarnation: 0x1122334455667788, Number: 3}
	device := messaging.Event{At: onPage, User: "bob", Device: "bob/tv", Stamp: 0x019b1c2d3e4f0000}
	online, offline := device, device
	online.Kind, online.Devices, offline.Kind = messaging.EventOnline, 1, messaging.EventOffline
	message := messaging.Event{At: onPage, User: "bob", ID: id, From: "alice", Taken: onPage}
	undelivered, delivered, refused := message, message, message
	undelivered.Kind, undelivered.Durable, undelivered.Content = messaging.EventUndelivered, true, []byte("hi")
	delivered.Kind, delivered.Devices, delivered.Device = messaging.EventDelivered, 1, "bob/tv"
	refused.Kind, refused.Devices, refused.Err = messaging.EventRefused, 1, &messaging.Refusal{Code: 2001, Reason: "no"}
	refused.ID.Number = 4
	return []messaging.Event{online, offline, undelivered, delivered, refused}
}

func TestCallsAreThoseOfThePage(t *testing.T) {
	type call struct {
		kind string
		data any
	}
	calls := []call{
		{"login", loginOf(server.AuthRequest{ClientID: "alice/phone", Token: []byte("open sesame"), Addr: netip.MustParseAddr("192.0.2.7"),
			Incarnation: 0x1122334455667788, Attempt: 1})},
		{"login", loginOf(server.AuthRequest{ClientID: "cron", Token: []byte("x"), Peer: &server.Peer{PID: 4711, UID: 1000, GID: 100},
			Incarnation: 1, Attempt: 1})},
		{"login", loginOf(server.AuthRequest{ClientID: "meter-17", Token: []byte{0xff, 0xfe}, Addr: netip.MustParseAddr("2001:db8::7"),
			Incarnation: 1, Attempt: 3, Renewal: true, TLS: &tls.ConnectionState{Version: tls.VersionTLS13, ServerName: "edge.example"}})},
	}
	for _, q := range wishes() {
		kind, w := wishOf(q)
		calls = append(calls, call{kind, w})
	}
	events := []event{{Type: nodeStarted, Time: timeText(onPage)}}
	for _, e := range pageEvents() {
		events = append(events, eventOf(e))
	}
	told := batch{Boot: "a1a2a3a4a5a6a7a8"}
	for i, e := range events {
		body, err := encode(e)
		if err != nil {
			t.Fatal(err)
		}
		told.Events = append(told.Events, (&numbered{uint64(i + 1), body}).json())
	}
	calls = append(calls, call{"events", told})

	page := lines(t, "call")
	if len(page) != len(calls) {
		t.Fatalf("the page has %d calls, want %d", len(page), len(calls))
	}
	for i, c := range calls {
		got, err := encode(message{c.kind, timeText(onPage), "edge-1", c.data})
		if err != nil || string(got) != page[i] {
			t.Errorf("%v\n%s, the page has\n%s", err, got, page[i])
		}
	}
}

// example is an answer on the page, and what is said of it.
func example(t *testing.T, line string) (answer, says string) {
	t.Helper()
	answer, says, found := strings.Cut(line, " # ")
	if !found {
		t.Fatalf("%q does not say what it means", line)
	}
	return answer, says
}

func TestAnswersMeanWhatThePageSays(t *testing.T) {
	for _, line := range lines(t, "login") {
		answer, says := example(t, line)
		if got := meaningOfLogin(answer); !strings.HasPrefix(says, got) {
			t.Errorf("%s means %q, the page says %q", answer, got, says)
		}
	}
	for _, line := range lines(t, "policy") {
		answer, says := example(t, line)
		if got := meaningOfWish(answer); got != says {
			t.Errorf("%s means %q, the page says %q", answer, got, says)
		}
	}
}

func meaningOfLogin(text string) string {
	var a loginAnswer
	err := decode([]byte(text), &a)
	if err == nil {
		err = a.check()
	}
	switch {
	case errors.Is(err, server.ErrUnauthorized):
		return "out for good: the client gives up"
	case errors.Is(err, server.ErrTokenExpired):
		return "out: the client asks for another token"
	case errors.Is(err, errLater):
		return "out: the client is told to come again"
	case err != nil:
		return err.Error()
	}
	g := a.grant(onPage)
	says := "in"
	if g.User == "" && g.Limits == nil {
		says += `, as the user before the first "/"`
	} else if g.User != "" {
		says += ", user " + g.User
	}
	if g.Data != nil {
		says += fmt.Sprint(", data ", g.Data)
	}
	if !g.Expires.IsZero() {
		says += fmt.Sprint(", for ", g.Expires.Sub(onPage))
	}
	if g.Limits != nil {
		says += fmt.Sprint(", limits ", *g.Limits)
	}
	return says
}

func meaningOfWish(text string) string {
	var a wishAnswer
	err := decode([]byte(text), &a)
	if err == nil {
		err = a.check()
	}
	says := "allowed"
	var refusal *messaging.Refusal
	switch {
	case errors.As(err, &refusal):
		says = fmt.Sprintf("NACK %d", uint16(refusal.Code))
		if refusal.Reason != "" {
			says += " " + strconv.Quote(refusal.Reason)
		}
	case errors.Is(err, errLater):
		says = fmt.Sprintf("NACK %d, try later", uint16(envelope.CodeTryLater))
	case err != nil:
		return err.Error()
	}
	if a.MaxAge > 0 {
		says += fmt.Sprint(", and not asked again for ", time.Duration(a.MaxAge*float64(time.Second)))
	}
	return says
}

func TestWhatThePageRefusesIsNoAnswer(t *testing.T) {
	for _, line := range lines(t, "refused") {
		answer, says := example(t, line)
		if got := meaningOfLogin(answer); !strings.Contains(got, says) || strings.HasPrefix(got, "in") {
			t.Errorf("login: %s is %q, the page says %q", answer, got, says)
		}
	}
	for _, line := range lines(t, "refused-policy") {
		answer, says := example(t, line)
		if got := meaningOfWish(answer); !strings.Contains(got, says) {
			t.Errorf("policy: %s is %q, the page says %q", answer, got, says)
		}
	}
}

func TestTheSignatureOfThePage(t *testing.T) {
	is := make(map[string]string)
	for _, line := range lines(t, "signed") {
		name, value, _ := strings.Cut(line, ": ")
		is[name] = value
	}
	secret, err := Secret(is["secret"])
	if err != nil {
		t.Fatal(err)
	}
	at, _ := strconv.ParseInt(is["webhook-timestamp"], 10, 64)
	h := make(http.Header)
	signAll(h, [][]byte{secret}, is["webhook-id"], time.Unix(at, 0), []byte(is["body"]))
	if got := h.Get("webhook-signature"); got != is["webhook-signature"] {
		t.Errorf("signature %s, the page has %s", got, is["webhook-signature"])
	}
	if !json.Valid([]byte(is["body"])) {
		t.Error("the body is no JSON")
	}
}

func TestThePageNamesTheBounds(t *testing.T) {
	page := readPage(t)
	for _, want := range []string{
		fmt.Sprintf("one JSON object of at most %d KiB", maxAnswer>>10),
		fmt.Sprintf("any JSON of at most %d KiB", maxData>>10),
		fmt.Sprintf("%d events and %d KiB at most", maxBatchEvents, maxBatchBytes>>10),
		fmt.Sprintf("up to %d KiB (`content_base64`", maxEventContent>>10),
		fmt.Sprintf("for people of at most %d bytes", maxReason),
		fmt.Sprintf("(2 s; %d s at most)", int(MaxTimeout.Seconds())),
		fmt.Sprintf("%d for logins", DefaultCalls),
		"It keeps 16,384 answers at most",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if maxKept != 16384 || DefaultTimeout != 2*time.Second || maxUnreadable != 10 || firstBackoff != 500*time.Millisecond || lastBackoff != 30*time.Second {
		t.Error("the page has other numbers")
	}
}
