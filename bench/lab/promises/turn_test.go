package promises

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestTheLongestTurnThatTheNodeSaidIsKept(t *testing.T) {
	said := make(chan string, 8)
	for _, answer := range []string{`{"longest_turn_seconds":0.0005}`, `{"longest_turn_seconds":0.002}`, `no JSON`, `{"longest_turn_seconds":0.001}`, `{}`} {
		said <- answer
	}
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case answer := <-said:
			io.WriteString(w, answer)
		default:
		}
	}))
	defer node.Close()
	end := watchTurns(node.Listener.Addr().String())
	for end := time.Now().Add(20 * time.Second); len(said) > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if got := end(); got != 2*time.Millisecond {
		t.Errorf("the longest turn is %v, want 2ms", got)
	}
}
