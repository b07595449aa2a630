package peers

import (
	"time"

	"github.com/lesismal/nbio"
	"github.com/lesismal/nbio/logging"

	"github.com/stormwheel/stormwheel/bench/lab/bare"
)

// serveNbio renews the read deadline in OnData, as nbio's SetReadDeadline asks for.
func serveNbio(t *Serve) (string, error) {
	addr, err := bare.Concrete(t.Listen)
	if err != nil {
		return "", err
	}
	logging.SetLevel(logging.LevelError)
	engine := nbio.NewEngine(nbio.Config{Network: "tcp4", Addrs: []string{addr}, NPoller: t.Loops})
	engine.OnOpen(func(c *nbio.Conn) {
		_ = c.SetReadDeadline(time.Now().Add(t.Timeout))
	})
	engine.OnData(func(c *nbio.Conn, data []byte) {
		_ = c.SetReadDeadline(time.Now().Add(t.Timeout))
		rest, cut := c.Session().([]byte) // of a frame that came in parts
		if cut {
			data = append(rest, data...)
			c.SetSession(nil)
		}
		used, err := t.desk.writeTo(c, data)
		if err != nil {
			_ = c.Close()
			return
		}
		if used < len(data) {
			c.SetSession(append([]byte(nil), data[used:]...))
		}
	})
	if err := engine.Start(); err != nil {
		return "", err
	}
	return addr, nil
}
