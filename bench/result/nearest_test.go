package result

import "testing"

func TestTheNearestNameIsTheOneThatWasMeant(t *testing.T) {
	names := []string{"spawn", "target", "threshold", "heartbeat", "node-arg", "html", "hold", "tick"}
	for word, want := range map[string]string{
		"spwan": "spawn", "targets": "target", "threshhold": "threshold", "node_arg": "node-arg", "Heartbeat": "heartbeat",
		"heart": "heartbeat", "htm": "html", "holds": "hold", "zzz": "", "concurrency": "", "": "", "tock": "tick",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
