package promises

import (
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"time"
)

// turnWatch asks a node again and again how long its longest turn was: a node that is
// stopped can't be asked any more. Nodes that do not say it say nothing.
type turnWatch struct {
	url     string
	stop    chan struct{}
	watched sync.WaitGroup
	longest time.Duration // until close: owned by watch
}

const askEvery = 100 * time.Millisecond

// freeAddress is one that the node may listen on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func watchTurns(addr string) *turnWatch {
	w := &turnWatch{url: "http://" + addr + "/stats", stop: make(chan struct{})}
	w.watched.Go(w.watch)
	return w
}

func (w *turnWatch) watch() {
	ask := time.NewTicker(askEvery)
	defer ask.Stop()
	client := http.Client{Timeout: time.Second}
	for {
		select {
		case <-w.stop:
			return
		case <-ask.C:
		}
		resp, err := client.Get(w.url)
		if err != nil {
			continue // it does not listen yet, or not any more
		}
		var stats struct {
			LongestTurn float64 `json:"longest_turn_seconds"`
		}
		if json.NewDecoder(resp.Body).Decode(&stats) == nil {
			w.longest = max(w.longest, time.Duration(stats.LongestTurn*float64(time.Second)))
		}
		resp.Body.Close()
	}
}

// close ends the watch; 0: the node never said it.
func (w *turnWatch) close() time.Duration {
	close(w.stop)
	w.watched.Wait()
	return w.longest
}
