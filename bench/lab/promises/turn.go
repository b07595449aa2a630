package promises

import (
	"encoding/json"
	"net/http"
	"time"
)

const askEvery = 100 * time.Millisecond

// watchTurns asks a node again and again how long its longest turn was: a node that is
// stopped can't be asked any more. end ends the watch and tells; 0: the node never said it.
func watchTurns(addr string) (end func() time.Duration) {
	stop, told := make(chan struct{}), make(chan time.Duration)
	go func() {
		ask := time.NewTicker(askEvery)
		defer ask.Stop()
		client := http.Client{Timeout: time.Second}
		var stats struct {
			LongestTurn float64 `json:"longest_turn_seconds"`
		}
		for longest := 0.0; ; {
			select {
			case <-stop:
				told <- time.Duration(longest * float64(time.Second))
				return
			case <-ask.C:
			}
			resp, err := client.Get("http://" + addr + "/stats")
			if err != nil {
				continue // it does not listen yet, or not any more
			}
			if json.NewDecoder(resp.Body).Decode(&stats) == nil {
				longest = max(longest, stats.LongestTurn)
			}
			resp.Body.Close()
		}
	}()
	return func() time.Duration { close(stop); return <-told }
}
