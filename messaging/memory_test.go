package messaging_test

import (
	"testing"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, _ string, b messaging.Bounds) messaging.Store { return messaging.NewMemory(b) })
}

func TestMemoryIsVolatile(t *testing.T) {
	if messaging.NewMemory(messaging.Bounds{}).Durable() {
		t.Error("it says that it is durable")
	}
}
