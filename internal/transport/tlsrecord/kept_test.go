package tlsrecord

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// speak has each of n connections seal a record, one after the other, all within a while; kept is how
// many of them had their AEAD at hand.
func speak(l *Layer, n int, began, all time.Duration) (kept int) {
	for s := range transport.Slot(n) {
		l.Tick(began + all*time.Duration(s)/time.Duration(n))
		c, _ := l.find(s)
		if c.kept != 0 {
			kept++
		}
		l.Seal(s, nil, []byte("x"))
	}
	return kept
}

func crowd(t *testing.T, n int) *Layer {
	t.Helper()
	l := New(false)
	for s := range transport.Slot(n) {
		if err := l.begin(s, keysOf(AES128GCM, byte(s))); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// Who speaks twice a second has its AEAD, be it one of many; who speaks each half minute has none, be
// there room or not.
func TestAEADsAreKeptForWhoIsBusy(t *testing.T) {
	const n = 10 * maxRecent
	for _, tt := range []struct {
		every      time.Duration
		kept, left int // of those that spoke, and when all are silent
	}{
		{time.Second / 2, n, maxRecent},
		{30 * time.Second, 0, maxRecent},
	} {
		l := crowd(t, n)
		now := time.Hour
		for round := range 7 { // the first time nobody is known, the second is made, and then they are looked at twice
			kept := speak(l, n, now, tt.every)
			if round >= 2 && kept != tt.kept {
				t.Errorf("every %v, round %d: %d of %d had theirs, want %d", tt.every, round, kept, n, tt.kept)
			}
			now += tt.every
		}
		l.Tick(now + tt.every + 2*time.Second)
		if left := l.kept.count[recent] + l.kept.count[busy]; left > tt.left {
			t.Errorf("every %v: %d are kept of those that are silent, want %d", tt.every, left, tt.left)
		}
	}
}

// A crowd that comes, each of which says something at once and hears something a little later, is not busy.
func TestWhoHasJustComeIsNotBusy(t *testing.T) {
	const n = 10 * maxRecent
	client, server := New(true), New(false)
	now := time.Hour
	for round := range 2 {
		for s := range transport.Slot(n) {
			client.Tick(now)
			if round == 0 {
				if client.begin(s, keysOf(AES128GCM, byte(s))) != nil || server.begin(s, keysOf(AES128GCM, byte(s))) != nil {
					t.Fatal("not installed")
				}
				client.Seal(s, nil, []byte("hello"))
			} else if o, err := client.Open(s, nil, server.Seal(s, nil, []byte("welcome"))); err != nil || string(o.Plain) != "welcome" {
				t.Fatalf("%q, %v", o.Plain, err)
			}
			now += time.Millisecond
		}
	}
	if client.kept.count[busy] != 0 {
		t.Errorf("%d of %d are busy", client.kept.count[busy], n)
	}
}

// More busy ones than there is room for: the bound holds, and all are opened.
func TestBusyAEADsAreBounded(t *testing.T) {
	const n, most = 100, 10
	client, server := newLayer(true, [lists]int{4, most}), newLayer(false, [lists]int{4, most})
	for s := range transport.Slot(n) {
		if client.begin(s, keysOf(AES128GCM, byte(s))) != nil || server.begin(s, keysOf(AES128GCM, byte(s))) != nil {
			t.Fatal("not installed")
		}
	}
	for i := range transport.Slot(10 * n) {
		s := i * 7 % n
		for _, l := range []*Layer{client, server} {
			l.Tick(time.Hour + time.Duration(i)*time.Millisecond)
			if len(l.kept.list) > 4+most+lists {
				t.Fatalf("%d AEADs", len(l.kept.list)-lists)
			}
		}
		if o, err := server.Open(s, nil, client.Seal(s, nil, []byte("x"))); err != nil || string(o.Plain) != "x" {
			t.Fatalf("step %d: %q, %v", i, o.Plain, err)
		}
	}
}

// A layer that nobody tells the time keeps those of the last ones, and has no busy ones.
func TestWithoutTimeNobodyIsBusy(t *testing.T) {
	const n = 4 * maxRecent
	l := crowd(t, n)
	for range 3 {
		for s := range transport.Slot(n) {
			l.Seal(s, nil, []byte("x"))
		}
	}
	if l.kept.count != [lists]int{recent: maxRecent} {
		t.Errorf("kept: %v", l.kept.count)
	}
}
