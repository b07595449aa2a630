package messaging_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

// comeAndGo is a user with two devices, one of which is there for a moment, again and again until it is to be quiet.
func (l *ledger) comeAndGo(t *testing.T, ctx context.Context, wg *sync.WaitGroup, user, addr string, quiet chan struct{}) {
	for {
		short, end := context.WithTimeout(ctx, time.Duration(20+rand.IntN(200))*time.Millisecond)
		l.person(t, short, wg, fmt.Sprintf("%s/%d", user, rand.IntN(2)), addr)
		<-short.Done()
		end()
		select {
		case <-quiet:
			return
		case <-time.After(time.Duration(rand.IntN(50)) * time.Millisecond):
		}
	}
}

// Devices come and go while their users talk, and the store stalls now and then: what was acknowledged is
// had, and in the end nothing waits.
func TestDevicesThatComeAndGo(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	const users, rounds = 20, 60
	store := newFaulty(messaging.Bounds{})
	hub, err := messaging.New(messaging.Config{Store: store, MessageRate: -1})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Handler: hub.Handler(), Loops: 2, IDRate: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := hub.Start(srv); err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = srv.Stop(ctx)
		if err := hub.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	l := newLedger()
	var senders, churn sync.WaitGroup
	quiet := make(chan struct{})
	for i := range users {
		p := l.person(t, ctx, &wg, fmt.Sprintf("user%d/phone", i), srv.Addr())
		senders.Go(func() {
			for k := range rounds {
				p.tell(ctx, fmt.Sprintf("user%d", rand.IntN(users)), fmt.Sprintf("%d of %d", k, i))
				p.tell(ctx, fmt.Sprintf("guest%d", rand.IntN(users)), fmt.Sprintf("%d of %d to a guest", k, i))
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			}
		})
		churn.Go(func() { l.comeAndGo(t, ctx, &wg, fmt.Sprint("guest", i), srv.Addr(), quiet) })
	}
	go func() {
		for range 5 {
			goOn := store.stall()
			time.Sleep(100 * time.Millisecond)
			goOn()
			time.Sleep(100 * time.Millisecond)
		}
	}()
	senders.Wait()
	close(quiet)
	churn.Wait()
	for i := range users {
		p := l.person(t, ctx, &wg, fmt.Sprintf("guest%d/0", i), srv.Addr())
		eventually(t, "session", time.Minute, func() bool { return p.Info().State == client.Ready })
	}
	eventually(t, "all messages settled", time.Minute, func() bool { sent, acked, _ := l.counts(); return acked == sent })
	eventually(t, "all messages had", time.Minute, func() bool { sent, _, had := l.counts(); return had == sent })
	eventually(t, "the store is empty", time.Minute, func() bool {
		waiting, err := store.Users(ctx, "", 1000)
		for _, w := range waiting {
			if w.User[0] == 'g' {
				return false // of users only receipts can wait, and they are here
			}
		}
		return err == nil
	})
	l.wantAccepted(t)
}

// wantAccepted fails if something was acknowledged as neither delivered nor durable, or went wrong.
func (l *ledger) wantAccepted(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for text, word := range l.acked {
		if word != envelope.AckDelivered && word != envelope.AckDurable {
			t.Errorf("%s: %d", text, word)
		}
	}
	for _, e := range l.errs {
		t.Error(e)
	}
}
