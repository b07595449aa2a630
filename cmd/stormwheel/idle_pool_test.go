package main

import (
	"testing"

	"github.com/panjf2000/gnet/v2/pkg/pool/goroutine"
)

// What gnet has begun and does not use does not wake an idle node.
func TestAPoolThatIsNotUsedEnds(t *testing.T) {
	endIdlePool()
	if !goroutine.DefaultWorkerPool.IsClosed() {
		t.Error("it is there still")
	}
}
