package peer

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestTableIsAMap compares the table with a map of Go.
func TestTableIsAMap(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var tab table
		want := make(map[string]map[uint64]uint64) // id, stamp: handle
		count, most := 0, 0
		for i := range uint64(5000) {
			id := fmt.Sprint("c", rng.IntN(800))
			if rng.IntN(3) > 0 {
				tab.add(session{id: id, stamp: i + 1, handle: i * 7})
				if want[id] == nil {
					want[id] = make(map[uint64]uint64)
				}
				want[id][i+1] = i * 7
				count++
				most = max(most, count)
			} else {
				stamp := uint64(0)
				for stamp = range want[id] {
					break
				}
				s, ok := tab.remove(id, stamp)
				if handle, there := want[id][stamp]; ok != there || ok && (s.handle != handle || s.id != id) {
					t.Fatalf("remove %s %d: %+v, %v", id, stamp, s, ok)
				} else if there {
					delete(want[id], stamp)
					count--
				}
			}
			got := 0
			for place := tab.first([]byte(id)); place != 0; place = tab.after(place, []byte(id)) {
				if s := tab.at(place); want[id][s.stamp] != s.handle || s.id != id {
					t.Fatalf("%+v is not there", *s)
				}
				got++
			}
			if got != len(want[id]) || tab.count != count {
				t.Fatalf("%s has %d sessions, want %d; %d of %d in all", id, got, len(want[id]), tab.count, count)
			}
		}
		if int(tab.used) != most {
			t.Errorf("%d places for %d sessions at most: free ones are not taken again", tab.used, most)
		}
	}
}

// TestLogKeepsTheLatest compares the log with a list.
func TestLogKeepsTheLatest(t *testing.T) {
	const bound = 200_000
	var l claimLog
	rng := rand.New(rand.NewPCG(1, 3))
	for i := range uint64(20_000) {
		full := l.add(recordLogin, &session{id: fmt.Sprint("client", i), stamp: i + 1})
		if full || rng.IntN(20) == 0 {
			first, records := l.pending()
			if n, err := countRecords(records); err != nil || first+n-1 != l.head || len(records) > sealBytes+maxRecord {
				t.Fatalf("%d to %d are pending of %d: %v", first, first+n-1, l.head, err)
			}
			l.publish(bound)
			if first, records = l.pending(); first != 0 || records != nil {
				t.Fatal("what was published is pending")
			}
			if l.bytes > bound+sealBytes {
				t.Fatalf("%d bytes are kept", l.bytes)
			}
		}
	}
	l.publish(bound)
	for since := uint64(1); since <= l.head+1; since += 97 {
		records, ok := l.since(since)
		if there := since >= l.chunks[0].first && since <= l.head; ok != there {
			t.Fatalf("since %d of %d to %d: %v", since, l.chunks[0].first, l.head, ok)
		} else if !ok {
			continue
		}
		body, k, _ := nextRecord(records)
		if r, err := parseRecord(body, k); err != nil || r.Stamp != since {
			t.Fatalf("since %d begins with %d: %v", since, r.Stamp, err)
		}
	}
	if l.chunks[0].first == 1 || l.head-l.chunks[0].first < 3000 {
		t.Errorf("%d to %d are kept", l.chunks[0].first, l.head)
	}
}
