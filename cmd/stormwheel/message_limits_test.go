package main

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/talk"
)

func TestLimitsOfMessagesAreOnThePage(t *testing.T) {
	var want []string
	for _, l := range messageLimits {
		want = append(want, l.key+" "+l.fallback+" "+l.means)
	}
	sameRows(t, "limits of messages", column(t, readDoc(t, "../../docs/OPERATIONS.md"), "| limit | default | of |", 3), want)
}

// Each limit's default is the library's: said aloud, it changes nothing. And each sets a field of its own.
func TestLimitsOfMessagesSetWhatTheySay(t *testing.T) {
	set := make(map[string]string) // by field
	for _, l := range messageLimits {
		got, err := limitsOf([]string{l.key + "=" + l.fallback})
		if err != nil {
			t.Fatal(err)
		}
		hub, store := reflect.ValueOf(got.hub), reflect.ValueOf(got.store)
		defaults, bounds := reflect.ValueOf(messaging.Config{}.WithDefaults()), reflect.ValueOf(messaging.Bounds{}.WithDefaults())
		fields := 0
		for _, side := range [][2]reflect.Value{{hub, defaults}, {store, bounds}} {
			for i := range side[0].NumField() {
				if f := side[0].Field(i); !f.IsZero() {
					fields++
					name := side[0].Type().String() + "." + side[0].Type().Field(i).Name
					if other := set[name]; other != "" {
						t.Errorf("%s sets what %s does", l.key, other)
					}
					set[name] = l.key
					if !reflect.DeepEqual(f.Interface(), side[1].Field(i).Interface()) {
						t.Errorf("%s=%s sets %s to %v, whose default is %v", l.key, l.fallback, name, f, side[1].Field(i))
					}
				}
			}
		}
		if fields != 1 {
			t.Errorf("%s sets %d fields", l.key, fields)
		}
	}
}

func TestLimitsOfMessagesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"room=1":                 `there is no "room", but devices, rooms, `,
		"rooms=1,rooms=2":        "rooms is there twice",
		"rooms":                  `rooms: "" is no number from 1`,
		"rooms=0":                `"0" is no number`,
		"rooms=-1":               `"-1" is no number`,
		"rooms=off":              `"off" is no number`,
		"members=x":              "nor off",
		"rooms=200,watches=200":  "rooms and watches are more than a session's groups",
		"rate=0":                 "no number above 0, nor off",
		"rate=NaN":               "no number above 0",
		"life=1ms":               "no time from 1s on",
		"content=1MiB":           "content is at most 63KiB",
		"store-bytes=9000000TiB": "no size above 0",
		"queue-bytes=1e9GiB":     "no size above 0",
		"ring-bytes=1.5KiB":      "no size above 0, as in",
	} {
		if _, err := limitsOf(strings.Split(text, ",")); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "--message-limits") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	l, err := limitsOf([]string{"store-bytes=20GiB", "members=off", "queue=off", "life=36h", "rate=0.5"})
	if err != nil || l.store.Bytes != 20<<30 || l.hub.MaxMembers != -1 || l.store.UserRecords != -1 || l.hub.Life != 36*time.Hour || l.hub.MessageRate != 0.5 {
		t.Errorf("%+v, %v", l, err)
	}
	for args, want := range map[string]string{
		"--message-limits rooms=1":                                       "--message-limits needs --messages",
		"--messages memory --message-limits rooms=x":                     "--message-limits rooms=x: ",
		"--messages memory --message-limits ring-bytes=200KiB":           "at most half of --max-queued, 131072",
		"--messages memory --max-queued 100000 --message-limits ring=9x": "--message-limits ring=9x",
	} {
		p := stormwheel(t, append([]string{"serve", "--listen", "127.0.0.1:0"}, strings.Fields(args)...)...)
		code, _ := p.exit()
		if said := p.stderr.String(); code != exitUsage || strings.Count(said, "\n") != 1 || !strings.Contains(said, want) {
			t.Errorf("%s: exit %d, error %q; want %q", args, code, said, want)
		}
	}
}

// A node keeps to the limits that it was given.
func TestLimitsOfMessagesHold(t *testing.T) {
	t.Parallel()
	n := serve(t, "--messages", "memory", "--message-limits", "content=10B,queue=2,rooms=1,watches=1")
	alice := newPerson(t, "alice", false, n.listen).online()
	say := func(text string) codec.NackCode {
		t.Helper()
		o, err := alice.SendAcked(t.Context(), "bob", []byte(text), talk.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return o.Code
	}
	for i, want := range []codec.NackCode{envelope.CodeTooLarge, 0, 0, envelope.CodeQueueFull} {
		text := "hi"
		if i == 0 {
			text = "longer than 10"
		}
		if got := say(text); got != want {
			t.Errorf("message %d: code %d, want %d", i, got, want)
		}
	}
	left := make(chan talk.Refusal, 1)
	carol, err := talk.New(talk.Config{Client: client.Config{Endpoints: []string{n.listen}, ID: "carol"},
		Left: func(_ string, why talk.Refusal) { left <- why }})
	if err != nil {
		t.Fatal(err)
	}
	carol.Join("one")
	carol.Join("two")
	go func() { _ = carol.Run(t.Context()) }()
	if why := <-left; why.Code != envelope.CodeTooMany {
		t.Errorf("the second room: %v, want code %d", why, envelope.CodeTooMany)
	}
	_ = carol.Close()
}
