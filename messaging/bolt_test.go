package messaging_test

import (
	"path/filepath"
	"testing"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/storetest"
)

func TestBolt(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string, b messaging.Bounds) messaging.Store {
		return openBolt(t, filepath.Join(dir, "store"), b)
	})
}

func openBolt(t testing.TB, path string, b messaging.Bounds) *messaging.Bolt {
	t.Helper()
	s, err := messaging.OpenBolt(path, b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
