package messaging_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// breaking is a store that can fail.
type breaking struct {
	*messaging.Memory
	broken bool
}

func (b *breaking) Put(ctx context.Context, batch []messaging.Record) error {
	if b.broken {
		return errors.New("no space left")
	}
	return b.Memory.Put(ctx, batch)
}

func TestStats(t *testing.T) {
	store := &breaking{Memory: messaging.NewMemory(messaging.Bounds{})}
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		want := func(when string, want messaging.Stats) {
			t.Helper()
			synctest.Wait()
			got := r.hub.Stats()
			if want.Queued > 0 && got.QueuedBytes <= want.Queued*messaging.RecordCost {
				t.Errorf("%s: %d bytes are queued", when, got.QueuedBytes)
			}
			got.QueuedBytes = 0
			if got != want {
				t.Errorf("%s: %+v, want %+v", when, got, want)
			}
		}
		want("empty", messaging.Stats{})
		phone, desk, bob := r.join("alice/phone"), r.join("alice/desk"), r.join("bob")
		phone.joins("tea", envelope.Position{})
		phone.joins("tea", envelope.Position{}) // once more
		bob.joins("tea", envelope.Position{})
		bob.joins("coffee", envelope.Position{})
		want("three devices", messaging.Stats{Users: 2, Devices: 3, Rooms: 2, Members: 3})

		bob.acked(bob.to("carol", "hi"), envelope.AckHeld)
		want("one is away", messaging.Stats{Users: 2, Devices: 3, Rooms: 2, Members: 3, Queued: 1})
		store.broken = true
		bob.to("carol", "again")
		want("the store fails", messaging.Stats{Users: 2, Devices: 3, Rooms: 2, Members: 3, Queued: 1, StoreErrors: 1})

		bob.say(envelope.Envelope{Kind: envelope.Leave, Room: []byte("coffee")})
		phone.Bye()
		want("one device has gone", messaging.Stats{Users: 2, Devices: 2, Rooms: 2, Members: 1, Queued: 1, StoreErrors: 1})
		desk.Bye()
		bob.Bye()
		want("all have gone", messaging.Stats{Rooms: 2, Queued: 1, StoreErrors: 1})
	})
}

func TestBoltTellsItsTotal(t *testing.T) {
	store, err := messaging.OpenBolt(filepath.Join(t.TempDir(), "db"), messaging.Bounds{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now := time.Now().Truncate(time.Millisecond)
	batch := []messaging.Record{{User: "a", Put: now, Expires: now.Add(time.Hour), Body: []byte("12")}, {User: "b", Put: now, Due: now.Add(time.Hour), Expires: now.Add(2 * time.Hour), Body: []byte("3")}}
	if err := store.Put(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if records, bytes := store.Total(); records != 2 || bytes != 3+2*messaging.RecordCost {
		t.Errorf("%d records of %d bytes", records, bytes)
	}
}
