package main

import (
	"errors"
	"slices"

	"github.com/stormwheel/stormwheel/server"
)

// defaultMaxTLS12 is that of --max-tls12.
const defaultMaxTLS12 = 1000

// checkIdle refuses flags that would have no effect: who gave one believes that it has. The values of
// --listen are good.
func (c *serveCmd) checkIdle() error {
	secure, web := c.tlsFlags.any(), slices.ContainsFunc(c.Transports, isWeb)
	for _, text := range c.Listen {
		l, files, _ := listenerOf(text)
		secure = secure || len(files.cert) > 0
		web = web || slices.Contains(l.Transports, server.TransportWebSocket) || slices.Contains(l.Transports, server.TransportSecureWebSocket)
	}
	switch {
	case c.TLSMin == "1.2" && !secure:
		return errors.New("--tls-min needs TLS: --tls-cert, or --tls-self-signed")
	case c.HandshakeRate != 0 && !secure:
		return errors.New("--handshake-rate needs TLS: --tls-cert, or --tls-self-signed")
	case c.MaxTLS12 != defaultMaxTLS12 && c.TLSMin != "1.2":
		return errors.New("--max-tls12 needs --tls-min 1.2")
	case c.WSPath != "/" && !web:
		return errors.New("--ws-path needs ws or wss in --transports")
	case len(c.WSOrigins) > 0 && !web:
		return errors.New("--ws-origins needs ws or wss in --transports")
	}
	return nil
}

func isWeb(transport string) bool {
	return transport == "ws" || transport == "wss" || transport == "websocket"
}
