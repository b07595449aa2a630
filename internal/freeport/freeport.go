// Package freeport finds ports of loopback that stay free until their process listens, and while it is
// gone: below those that the kernel gives to whoever asks for any, a connecting client included.
package freeport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"

	"github.com/stormwheel/stormwheel/internal/machine"
)

const lowest = 10_000

// Loopback returns count different addresses of 127.0.0.1 at which nobody listens. All are held until all are
// found. Where the kernel's own range leaves no room below, they are of that range.
func Loopback(count int) ([]string, error) {
	below := machine.FirstLocalPort()
	var addrs []string
	var plain net.ListenConfig
	plain.SetMultipathTCP(false) // nodes do not listen so, either
	for try := 0; len(addrs) < count; try++ {
		port := 0
		if below > lowest+4*count && try < 16*count+64 {
			port = lowest + rand.IntN(below-lowest)
		}
		l, err := plain.Listen(context.Background(), "tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil && port != 0 {
			continue // it is taken
		}
		if err != nil {
			return nil, fmt.Errorf("reserve a port: %w", err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}
