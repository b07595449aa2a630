package envelope

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func at(ms int64) time.Time { return time.UnixMilli(ms) }

// full has every field, so that each kind writes all that it has.
func full(k Kind) *Envelope {
	e := &Envelope{
		Kind: k, Flags: PossiblyKnown, User: []byte("bob"), Room: []byte("kitchen"), ID: ID{[]byte("alice/phone"), 7, 8},
		Position: Position{9, 10}, Time: at(11), Taken: at(12), At: at(13), Life: 14 * time.Millisecond, State: Delivered,
		Code: CodeRate, Reason: []byte("slow down"), Device: []byte("bob/tv"), Stamp: 15, Question: RoomMembers,
		Prefix: []byte("b"), After: []byte("bo"), Limit: 16, Count: 17, Content: []byte("hi"),
	}
	if k == Watch || k == Unwatch {
		e.User = nil
	}
	if !kindRules[k].content {
		e.Content = nil
	}
	return e
}

func kinds(yield func(Kind) bool) {
	for k := range Kind(len(kindNames)) {
		if k.Known() && !yield(k) {
			return
		}
	}
}

func TestParseReturnsWhatAppendWrote(t *testing.T) {
	written := make(map[field]bool)
	for k := range kinds {
		in := full(k)
		body, err := Append(nil, in)
		if err != nil {
			t.Errorf("%v: %v", k, err)
			continue
		}
		out, err := Parse(body)
		if err != nil {
			t.Errorf("%v: %v", k, err)
			continue
		}
		again, err := Append([]byte("before"), &out)
		if err != nil || string(again) != "before"+string(body) {
			t.Errorf("%v: % x, %v; want % x", k, again, err, body)
		}
		for f := range field(len(fieldRules)) {
			if rules := kindRules[k]; (rules.must | rules.may).has(f) {
				written[f] = true
			}
		}
		if out.Kind != k || out.Flags != PossiblyKnown || string(out.Content) != string(in.Content) {
			t.Errorf("%v: %+v", k, out)
		}
		if len(body)-len(in.Content) > MaxHead {
			t.Errorf("%v: head of %d bytes", k, len(body)-len(in.Content))
		}
	}
	for f := field(1); int(f) < len(fieldRules); f++ {
		if !written[f] {
			t.Errorf("no kind has %s", fieldRules[f].name)
		}
	}
}

func TestParseKeepsEveryField(t *testing.T) {
	in := full(Publication)
	body, err := Append(nil, in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	want := &Envelope{Kind: Publication, Flags: PossiblyKnown, User: in.User, Room: in.Room, ID: in.ID, Position: in.Position,
		Time: in.Time, Taken: in.Taken, Content: in.Content}
	if !reflect.DeepEqual(&out, want) {
		t.Errorf("got %+v\nwant %+v", &out, want)
	}
}

func TestTheLongestHeadIsWithinMaxHead(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 255)
	for k := range kinds {
		e := full(k)
		for _, v := range []*[]byte{&e.User, &e.Room, &e.ID.Sender, &e.Device, &e.Prefix, &e.After} {
			if *v != nil {
				*v = long[:128]
			}
		}
		e.Reason, e.Content = long, nil
		body, err := Append(nil, e)
		if err != nil || len(body) > MaxHead {
			t.Errorf("%v: %d bytes, %v", k, len(body), err)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		e    Envelope
		want error
		text string
	}{
		"no kind":              {Envelope{}, ErrKind, "0"},
		"between the kinds":    {Envelope{Kind: 9}, ErrKind, "9"},
		"beyond the kinds":     {Envelope{Kind: 200}, ErrKind, "200"},
		"missing":              {Envelope{Kind: ToUser}, ErrField, "to user without user"},
		"long":                 {Envelope{Kind: ToUser, User: bytes.Repeat([]byte("x"), 129)}, ErrField, "user of 129 bytes"},
		"control":              {Envelope{Kind: ToRoom, Room: []byte("a\n")}, ErrField, "U+000A"},
		"no text":              {Envelope{Kind: ToRoom, Room: []byte{0xff}}, ErrField, "UTF-8"},
		"before 1970":          {Envelope{Kind: ToUser, User: []byte("b"), At: time.UnixMilli(-1)}, ErrField, "at is"},
		"far":                  {Envelope{Kind: ToUser, User: []byte("b"), At: time.UnixMilli(MaxTime + 1)}, ErrField, "at is"},
		"negative life":        {Envelope{Kind: ToUser, User: []byte("b"), Life: -1}, ErrField, "life"},
		"sender":               {Envelope{Kind: Message, Taken: at(1), ID: ID{Sender: []byte("\x00")}}, ErrField, "U+0000"},
		"offset, no epoch":     {Envelope{Kind: Join, Room: []byte("r"), Position: Position{0, 1}}, ErrField, "epoch 0"},
		"user and room":        {Envelope{Kind: Watch, User: []byte("b"), Room: []byte("r")}, ErrField, "a user or a room"},
		"nobody":               {Envelope{Kind: Unwatch}, ErrField, "a user or a room"},
		"which room":           {Envelope{Kind: Ask, Question: RoomMembers}, ErrField, "about whom"},
		"content in a receipt": {Envelope{Kind: Gap, Room: []byte("r"), Position: Position{1, 1}, Content: []byte("x")}, ErrField, "no content"},
	} {
		dst := []byte("before")
		got, err := Append(dst, &test.e)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) || string(got) != "before" {
			t.Errorf("%s: %q, %v; want %q", name, got, err, test.text)
		}
	}
}

func TestMarkSetsOneFlag(t *testing.T) {
	e := full(Message)
	e.Flags = 0
	body, err := Append(nil, e)
	if err != nil {
		t.Fatal(err)
	}
	Mark(body)
	if out, err := Parse(body); err != nil || out.Flags != PossiblyKnown || string(out.Content) != "hi" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestFrom(t *testing.T) {
	for _, test := range []struct{ user, sender, want string }{
		{"carol", "alice/phone", "carol"}, {"", "alice/phone", "alice"}, {"", "alice", "alice"}, {"", "a/b/c", "a"},
	} {
		e := Envelope{User: []byte(test.user), ID: ID{Sender: []byte(test.sender)}}
		if got := string(e.From()); got != test.want {
			t.Errorf("From of %v = %q", test, got)
		}
	}
}

func TestNames(t *testing.T) {
	page := AppendName(AppendName(nil, []byte("alice")), []byte("bob"))
	var got []string
	for name, err := range Names(page) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(name))
	}
	if strings.Join(got, " ") != "alice bob" {
		t.Errorf("%q", got)
	}
	for _, bad := range []string{"\x02a", "\x00", "\x01a\x05b"} {
		var last error
		for _, err := range Names([]byte(bad)) {
			last = err
		}
		if !errors.Is(last, ErrTruncated) {
			t.Errorf("Names of %q: %v", bad, last)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	e := full(Message)
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		body, err := Append(buf, e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(body); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A body that nobody has made room for has one allocation, whatever is in it.
func TestOneAllocationForAllKinds(t *testing.T) {
	for kind := Kind(1); kind < 64; kind++ {
		if !kind.Known() {
			continue
		}
		e := full(kind)
		if n := testing.AllocsPerRun(100, func() {
			if _, err := Append(nil, e); err != nil {
				t.Fatal(err)
			}
		}); n != 1 {
			t.Errorf("%v: %v allocations", kind, n)
		}
	}
}

// FuzzParse: input never panics, and what Parse takes Append writes, to the same values.
func FuzzParse(f *testing.F) {
	for k := range kinds {
		body, err := Append(nil, full(k))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := Parse(body)
		if err != nil {
			if !reflect.DeepEqual(e, Envelope{}) {
				t.Errorf("%+v beside %v", e, err)
			}
			return
		}
		for range Names(e.Content) {
		}
		again, err := Append(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Parse(again); err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%v\n%+v\n%+v", err, got, e)
		}
	})
}

func BenchmarkEnvelope(b *testing.B) {
	e := full(Message)
	e.Content = bytes.Repeat([]byte("x"), 200)
	buf := make([]byte, 0, 1024)
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf, _ = Append(buf[:0], e)
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}
