package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/stormwheel/stormwheel/cluster/natsbus"
	"github.com/stormwheel/stormwheel/internal/token"
	"github.com/stormwheel/stormwheel/messaging/hook"
	"github.com/stormwheel/stormwheel/server"
)

// secrets are those of a node, by the files in which they are.
type secrets struct {
	authFile, clusterFile, hookFile string // empty: there is none

	auth    *server.HMACAuth // nil: everybody may come in
	cluster [][]byte
	hook    [][]byte
	signer  *hook.BackEnd // nil: there is none
	bus     *natsbus.Bus  // nil: the node is alone
}

// readSecrets reads the files that the flags name.
func (c *serveCmd) readSecrets() (*secrets, error) {
	s := &secrets{authFile: c.AuthSecretFile, clusterFile: c.ClusterSecretFile, hookFile: c.HookSecretFile}
	admit, cluster, sign, err := s.read()
	if err != nil {
		return nil, err
	}
	s.cluster, s.hook = cluster, sign
	if s.authFile != "" {
		s.auth, err = server.NewHMACAuth(admit...)
	}
	return s, err
}

func (s *secrets) read() (admit, cluster, sign [][]byte, err error) {
	if s.authFile != "" {
		if admit, err = token.ReadSecrets(s.authFile); err != nil {
			return nil, nil, nil, err
		}
	}
	if s.clusterFile != "" {
		if cluster, err = token.ReadSecrets(s.clusterFile); err != nil {
			return nil, nil, nil, err
		}
	}
	if s.hookFile != "" {
		sign, err = readHookSecrets(s.hookFile)
	}
	return admit, cluster, sign, err
}

// warnOfOpenFiles says which of the files everybody on this machine may read. It is no error: what a container is given
// often is so, and nobody else is there.
func warnOfOpenFiles(log *slog.Logger, files ...string) {
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 {
			log.Warn("everybody on this machine can read a secret; chmod o-r keeps it", "file", file, "mode", fmt.Sprintf("%#o", info.Mode().Perm()))
		}
	}
}

func (s *secrets) authenticator() server.Authenticator {
	if s.auth == nil {
		return nil
	}
	return s.auth
}

// follow has the files read again at each SIGHUP, until stop is called.
func (s *secrets) follow(srv *server.Server, log *slog.Logger) (stop func()) {
	hangups, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer close(done)
		for range hangups {
			s.reread(srv, log)
		}
	}()
	return func() {
		signal.Ignore(syscall.SIGHUP) // it ends no node, to the last
		signal.Stop(hangups)
		close(hangups)
		<-done
	}
}

// reread changes nothing unless all files are good.
func (s *secrets) reread(srv *server.Server, log *slog.Logger) {
	if s.authFile == "" && s.clusterFile == "" && s.hookFile == "" {
		log.Info("SIGHUP: there are no secret files to be read again")
		return
	}
	admit, cluster, sign, err := s.read()
	if err == nil && s.clusterFile != "" {
		err = srv.Update(func(t *server.Tunable) { t.ClusterSecrets = cluster })
	}
	if err == nil && s.clusterFile != "" && s.bus != nil {
		err = s.bus.SetSecrets(cluster)
	}
	if err == nil && s.auth != nil {
		err = s.auth.SetSecrets(admit...)
	}
	if err == nil && s.signer != nil && s.hookFile != "" {
		err = s.signer.SetSecrets(sign...)
	}
	if err != nil {
		log.Error("SIGHUP: the old secrets stay", "err", err)
		return
	}
	log.Info("SIGHUP: secrets were read again", "auth", len(admit), "cluster", len(cluster), "hook", len(sign))
}
