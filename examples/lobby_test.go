package examples

import (
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/freeport"
)

// Who joins is announced, once; who joins twice, or is kicked, leaves for good; and who lost the server is
// back at the next, with what he was saying.
func TestLobby(t *testing.T) {
	addrs, err := freeport.Loopback(1)
	if err != nil {
		t.Fatal(err)
	}
	addr := addrs[0]
	p := run(t, "lobby", "-listen", addr)
	join := func(name string) *typist { return types(t, "lobby", "-join", addr, "-name", name) }
	fails := func(who *typist) {
		t.Helper()
		select {
		case err := <-who.ended:
			if err == nil {
				t.Error("it ends with success")
			}
		case <-time.After(time.Minute):
			t.Fatal("it does not end")
		}
	}
	alice := join("alice")
	alice.say("is anybody here?")
	alice.hear(t, "  said")
	alice.say(" ")
	alice.hear(t, `  not said: client: message is refused: refused: "there is nothing to say"`)
	bob := join("bob")
	alice.hear(t, "* bob is here")
	again := join("bob")
	fails(bob)
	again.say("it is me")
	alice.hear(t, "bob: it is me") // and not that he left, or is here
	fmt.Fprintln(p.in, "bob")
	fails(again)
	alice.hear(t, "* bob has left: kicked")
	carol := join("carol")
	alice.hear(t, "* carol is here")
	carol.say("for a moment") // she is in when this is said, and leaves then
	carol.hear(t, "  said")
	alice.hear(t, "carol: for a moment")
	carol.Close()
	alice.hear(t, "* carol has left: bye")

	_ = p.Process.Kill()
	p.ended <- <-p.ended
	alice.say("are you still there?")
	run(t, "lobby", "-listen", addr)
	alice.hear(t, "  said")
}
