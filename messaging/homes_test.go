package messaging_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/talk"
)

// homesPatience is how long what must come may take.
const homesPatience = time.Minute

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(homesPatience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", homesPatience, what)
		}
	}
}

// manyNodes starts nodes that tell their logins to homes only, and waits until they do.
func manyNodes(t *testing.T, n int) (all []edge) {
	t.Helper()
	var network cluster.Memory
	for i := range n {
		e, err := beginWith(network.Bus(fmt.Sprint("n", i)), cluster.Config{Node: fmt.Sprint("n", i), Replace: true, HomesAbove: 2})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), homesPatience)
			defer cancel()
			if err := e.end(ctx); err != nil {
				t.Error(err)
			}
		})
		all = append(all, e)
	}
	for _, e := range all {
		waitFor(t, "its logins are told to homes only", func() bool { return e.node.Status().Homes })
	}
	return all
}

// voice is a talk of a test.
type voice struct {
	*talk.Talk
	heard chan string
	ended chan error
}

func speak(t *testing.T, id string, at edge) *voice {
	t.Helper()
	v := &voice{heard: make(chan string, 64), ended: make(chan error, 1)}
	var err error
	v.Talk, err = talk.New(talk.Config{
		Client:  client.Config{Endpoints: []string{at.srv.Addr()}, ID: id},
		Message: func(m *talk.Message) { v.heard <- string(m.Content) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); v.ended <- v.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return v
}

func (v *voice) hears(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-v.heard:
		if got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	case <-time.After(homesPatience):
		t.Fatalf("%q was not heard", want)
	}
}

// Where logins are told to homes only, messages find their users, those that wait are brought when he comes, and of two sessions of one client the later stays.
func TestManyNodesAreOne(t *testing.T) {
	t.Parallel()
	all := manyNodes(t, 5)
	push := func(from int, to, what string) {
		t.Helper()
		if err := all[from].hub.Push(to, messaging.Message{Content: []byte(what)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	bob := speak(t, "bob/phone", all[1])
	push(0, "bob", "one")
	bob.hears(t, "one")
	push(2, "carol", "waits")
	waitFor(t, "it is stored", func() bool { return all[2].hub.Stats().Queued == 1 })
	carol := speak(t, "carol/phone", all[4])
	carol.hears(t, "waits")
	waitFor(t, "it is acknowledged", func() bool { return all[2].hub.Stats().Queued == 0 }) // or her next session has it again

	again := speak(t, "carol/phone", all[0])
	select {
	case err := <-carol.ended:
		carol.ended <- err
		var code *client.CodeError
		if !errors.As(err, &code) || code.Code.String() != "replaced" {
			t.Errorf("the earlier session ends with %v, want replaced", err)
		}
	case <-time.After(homesPatience):
		t.Fatal("both sessions stay")
	}
	push(2, "carol", "two")
	again.hears(t, "two")
	push(3, "bob", "three")
	bob.hears(t, "three")
}
