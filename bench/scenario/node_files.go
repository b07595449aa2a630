package scenario

import (
	"crypto/rand"
	"os"
	"path/filepath"
)

// nodeFiles makes what spawned nodes have on disk, in a folder that goes with them ("": they need none),
// and returns the flags that name it.
func (p *Plan) nodeFiles() (folder string, flags []string, err error) {
	if p.ownSecret() || p.ownStore() {
		if folder, err = os.MkdirTemp("", "stormwheel-nodes-"); err != nil {
			return "", nil, err
		}
	}
	if p.ownSecret() {
		file := filepath.Join(folder, "secret")
		if err := os.WriteFile(file, []byte(rand.Text()+rand.Text()), 0o600); err != nil {
			_ = os.RemoveAll(folder) // it is as full as it was
			return "", nil, err
		}
		flags = append(flags, "--cluster-secret-file", file)
	}
	if p.talks() {
		flags = append(flags, p.nodeStore(folder)...)
	}
	return folder, flags, nil
}

// ownSecret reports whether nodes need a secret of ours, by which a TLS session of one is resumed at
// another.
func (p *Plan) ownSecret() bool {
	_, said := p.nodeArg("cluster-secret-file")
	return p.way.TLS && !said
}
