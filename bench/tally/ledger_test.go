package tally

import (
	"testing"
	"time"
)

// pairsOf is who has what the users 0 and 1 say, and what 2 and 3 say in their room.
func pairsOf(user int) []int {
	if user < 2 {
		return []int{1 - user}
	}
	return []int{2, 3}
}

// had is a client that has had those messages of another.
func had(user, from int, gapAt time.Duration, numbers ...uint64) HadBy {
	h := HadBy{User: user, From: map[int]Numbers{}, GapAt: gapAt}
	var all Numbers
	for _, n := range numbers {
		all.Add(n)
	}
	h.From[from] = all
	return h
}

func TestEveryMessageIsReconciled(t *testing.T) {
	sent := func(user int, words ...Word) SentBy {
		return SentBy{Client: 10 + user, User: user, First: 100, Every: 10, Words: words}
	}
	for _, tt := range []struct {
		name string
		sent SentBy
		had  []HadBy
		want Reconciled
	}{
		{"all is well", sent(0, Reached|Confirmed, Durable|Confirmed, Held|Confirmed), []HadBy{had(1, 10, 0, 1, 2, 3)}, Reconciled{Delivered: 3}},
		{"delivered, and not there", sent(0, Reached|Confirmed), nil, Reconciled{Undelivered: 1, Lost: 1}},
		{"durable, and not there", sent(0, Durable, Durable), []HadBy{had(1, 10, 0, 2)}, Reconciled{Delivered: 1, Undelivered: 1, Lost: 1, Unconfirmed: 1}},
		{"another client's is not this one's", sent(0, Durable), []HadBy{had(1, 11, 0, 1)}, Reconciled{Undelivered: 1, Lost: 1}},
		{"at another user it is not there", sent(0, Durable), []HadBy{had(0, 10, 0, 1)}, Reconciled{Undelivered: 1, Lost: 1}},
		{"held, and gone", sent(0, Held), nil, Reconciled{Undelivered: 1, HeldLost: 1}},
		{"taken tells a user nothing", sent(0, Taken), nil, Reconciled{Undelivered: 1, HeldLost: 1}},
		{"its sender was told that it expired", sent(0, Durable|Undone), nil, Reconciled{Undelivered: 1}},
		{"without an answer it is lost elsewhere", sent(0, Unanswered), nil, Reconciled{Undelivered: 1}},
		{"refused, and had all the same", sent(0, Refused, Refused), []HadBy{had(1, 10, 0, 2)}, Reconciled{}},
		{"one device is enough", sent(0, Reached|Confirmed), []HadBy{had(1, 99, 0), had(1, 10, 0, 1)}, Reconciled{Delivered: 1}},
		{"a room has copies", sent(2, NoMessage, Taken), []HadBy{had(2, 12, 0, 2), had(3, 12, 0, 2)}, Reconciled{Delivered: 2}},
		{"a member lacks one", sent(2, Taken), []HadBy{had(2, 12, 0, 1), had(3, 12, 0)}, Reconciled{Delivered: 1, Undelivered: 1, Lost: 1}},
		{"and was told of the gap", sent(2, Taken), []HadBy{had(2, 12, 0, 1), had(3, 12, 101)}, Reconciled{Delivered: 1, Undelivered: 1}},
		{"of a gap before", sent(2, NoMessage, Taken, Taken), []HadBy{had(2, 12, 0, 2, 3), had(3, 12, 105, 2)}, Reconciled{Delivered: 3, Undelivered: 1, Lost: 1}},
	} {
		l := Ledger{Sent: []SentBy{tt.sent}, Had: tt.had}
		if got := l.Reconcile(pairsOf); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestALedgerSettlesTheCounts(t *testing.T) {
	a := Tally{Counters: Counters{Messages: Messages{Sent: 2, Acknowledged: 1, Lost: 1, Pending: 1}}, Ledger: &Ledger{Sent: []SentBy{{Words: []Word{Durable, Unanswered}}}}}
	b := Tally{Counters: Counters{Messages: Messages{Delivered: 5}}, Ledger: &Ledger{Had: []HadBy{had(1, 7, 0, 1)}}}
	total := New()
	for _, one := range []*Tally{&a, &b} {
		one.Probes, one.Storm = NewProbes(), NewStorm()
		one.RTT, one.RTTActual, one.RTTIntended, one.Connect, one.ConnectIntended, one.Away, one.Late, one.Lateness = NewHist(), NewHist(), NewHist(), NewHist(), NewHist(), NewHist(), NewHist(), NewHist()
		total.Add(one)
	}
	total.Settle(pairsOf)
	if m := total.Counters.Messages; m.Lost != 2 || m.Pending != 1 || m.Delivered != 0 || m.Undelivered != 2 || total.Ledger != nil {
		t.Errorf("%+v, want the durable one lost beside that without an answer", m)
	}
}

func TestNumbersAreKnownOnce(t *testing.T) {
	var s Numbers
	for _, n := range []uint64{1, 64, 63, 1000} {
		if s.Has(n) || !s.Add(n) || s.Add(n) || !s.Has(n) {
			t.Errorf("%d is not new once", n)
		}
	}
	if s.Has(2) || s.Has(1<<40) || Numbers(nil).Has(1) {
		t.Error("others are known")
	}
}
