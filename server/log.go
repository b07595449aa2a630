package server

import (
	"fmt"
	"log/slog"
)

// gnetLogger passes what gnet has to say to the node's logger. Its start line says no
// more than ours, so what gnet calls information is a matter for debugging here.
type gnetLogger struct{ log *slog.Logger }

func (g gnetLogger) Debugf(format string, args ...any) {
	g.log.Debug(fmt.Sprintf("gnet: "+format, args...))
}
func (g gnetLogger) Infof(format string, args ...any) {
	g.log.Debug(fmt.Sprintf("gnet: "+format, args...))
}
func (g gnetLogger) Warnf(format string, args ...any) {
	g.log.Warn(fmt.Sprintf("gnet: "+format, args...))
}
func (g gnetLogger) Errorf(format string, args ...any) {
	g.log.Error(fmt.Sprintf("gnet: "+format, args...))
}
func (g gnetLogger) Fatalf(format string, args ...any) {
	g.log.Error(fmt.Sprintf("gnet: "+format, args...))
}
