package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// Neither docker nor a Kubernetes is asked here: the files of examples/cluster are read as YAML, their commands are parsed as
// the command line is, and what has to agree is compared.

const manifests = "../../examples/cluster/"

// parsedCommand is what the command makes of words, which it finds no fault with.
func parsedCommand(t *testing.T, words []string) command {
	t.Helper()
	var cmd command
	app, err := kong.New(&cmd, benchFlags...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Parse(words); err != nil {
		t.Fatalf("%q: %v", words, err)
	}
	return cmd
}

// isNode holds what a manifest has a node do to what else it says: where the ports are, and by which it is asked.
func isNode(t *testing.T, words []string, clients, bus string, asked ...[]string) serveCmd {
	t.Helper()
	s := parsedCommand(t, words).Serve
	if len(s.Listen) != 1 || !strings.HasSuffix(s.Listen[0], ":"+clients) || !strings.HasSuffix(s.ClusterListen, ":"+bus) {
		t.Errorf("it listens on %v and %v, and the ports are %s and %s", s.Listen, s.ClusterListen, clients, bus)
	}
	for _, peer := range s.ClusterPeers {
		if !strings.HasSuffix(peer, ":"+bus) {
			t.Errorf("a peer is %s, and the port %s", peer, bus)
		}
	}
	for _, probe := range asked {
		url := probe[len(probe)-1]
		if !strings.HasPrefix(url, "http://"+s.Admin+"/livez") && !strings.HasPrefix(url, "http://"+s.Admin+"/readyz") {
			t.Errorf("a probe asks %s, and the node answers at %s", url, s.Admin)
		}
	}
	return s
}

func readManifest(t *testing.T, name string, into ...any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(manifests, name))
	if err != nil {
		t.Fatal(err)
	}
	all := yaml.NewDecoder(bytes.NewReader(raw))
	for _, one := range into {
		if err := all.Decode(one); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if err := all.Decode(new(any)); !errors.Is(err, io.EOF) {
		t.Fatalf("%s: there is more in it: %v", name, err)
	}
}

func TestComposeFileIsOfThreeNodes(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Command     []string
			Ports       []string
			Volumes     []string
			Secrets     []string
			Build       struct{ Context, Dockerfile string }
			Healthcheck struct{ Test []string }
		}
		Secrets map[string]any
		Volumes map[string]any
	}
	readManifest(t, "compose.yaml", &file)
	if len(file.Services) != 3 {
		t.Errorf("there are %d nodes", len(file.Services))
	}
	names, volumes := map[string]bool{}, map[string]bool{}
	for name, service := range file.Services {
		s := isNode(t, service.Command, "7000", "6222", service.Healthcheck.Test)
		if "node-"+s.Node != name || names[s.Node] || len(s.ClusterPeers) != len(file.Services) {
			t.Errorf("%s is node %q with peers %v", name, s.Node, s.ClusterPeers)
		}
		for _, peer := range s.ClusterPeers {
			if _, there := file.Services[strings.TrimSuffix(peer, ":6222")]; !there {
				t.Errorf("%s: peer %s is no service", name, peer)
			}
		}
		if len(service.Ports) != 1 || service.Ports[0] != s.ClusterAdvertise+":7000" {
			t.Errorf("%s: clients are told %s, and the ports are %v", name, s.ClusterAdvertise, service.Ports)
		}
		volume, where, _ := strings.Cut(service.Volumes[0], ":")
		if _, there := file.Volumes[volume]; !there || volumes[volume] || !strings.HasPrefix(s.Messages, "bolt:"+where+"/") {
			t.Errorf("%s: its store is %s, its volume %v", name, s.Messages, service.Volumes)
		}
		if _, there := file.Secrets[service.Secrets[0]]; !there || s.ClusterSecretFile != "/run/secrets/"+service.Secrets[0] {
			t.Errorf("%s: its secret is in %s, and there are %v", name, s.ClusterSecretFile, file.Secrets)
		}
		if _, err := os.Stat(filepath.Join(manifests, service.Build.Context, service.Build.Dockerfile)); err != nil {
			t.Error(err)
		}
		names[s.Node], volumes[volume] = true, true
	}
}

// probe is how the kubelet asks a node.
type probe struct {
	Exec struct{ Command []string }
}

// port is one of a Service, and of a container.
type port struct {
	Name          string
	Port          int
	TargetPort    string `yaml:"targetPort"`
	ContainerPort int    `yaml:"containerPort"`
}

type service struct {
	Metadata struct{ Name string }
	Spec     struct {
		ClusterIP                string `yaml:"clusterIP"`
		PublishNotReadyAddresses bool   `yaml:"publishNotReadyAddresses"`
		Selector                 map[string]string
		Ports                    []port
	}
}

type statefulSet struct {
	Kind string
	Spec struct {
		ServiceName string `yaml:"serviceName"`
		Replicas    int
		Template    struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				TerminationGracePeriodSeconds int `yaml:"terminationGracePeriodSeconds"`
				Containers                    []struct {
					Args           []string
					Ports          []port
					StartupProbe   probe `yaml:"startupProbe"`
					LivenessProbe  probe `yaml:"livenessProbe"`
					ReadinessProbe probe `yaml:"readinessProbe"`
					Lifecycle      struct {
						PreStop probe `yaml:"preStop"`
					}
					VolumeMounts []struct {
						Name      string
						MountPath string `yaml:"mountPath"`
					} `yaml:"volumeMounts"`
				}
			}
		}
	}
}

func TestKubernetesManifestIsOfThreeNodes(t *testing.T) {
	var all, clients service
	var set statefulSet
	readManifest(t, "kubernetes.yaml", &all, &clients, new(any), &set)
	if set.Kind != "StatefulSet" || set.Spec.Replicas != 3 || set.Spec.ServiceName != all.Metadata.Name || len(set.Spec.Template.Spec.Containers) != 1 {
		t.Fatalf("got %+v", set)
	}
	if all.Spec.ClusterIP != "None" || !all.Spec.PublishNotReadyAddresses {
		t.Errorf("nodes that wait for each other are not found by %+v", all)
	}
	c := set.Spec.Template.Spec.Containers[0]
	words := make([]string, len(c.Args))
	for i, arg := range c.Args {
		words[i] = strings.NewReplacer("$(POD_NAME)", "edge-0", "$(POD_NAMESPACE)", "default").Replace(arg)
	}
	s := isNode(t, words, "7000", "6222", c.StartupProbe.Exec.Command, c.LivenessProbe.Exec.Command, c.ReadinessProbe.Exec.Command)
	if got, want := s.ClusterPeers[0], "dns:"+all.Metadata.Name+":6222"; got != want {
		t.Errorf("its peers are %s, want %s", got, want)
	}
	if want := "edge-0." + all.Metadata.Name + ".default.svc:7000"; s.ClusterAdvertise != want {
		t.Errorf("clients are told %s, want %s", s.ClusterAdvertise, want)
	}
	named := map[string]int{}
	for _, p := range c.Ports {
		named[p.Name] = p.ContainerPort
	}
	for _, svc := range []service{all, clients} {
		for _, p := range svc.Spec.Ports {
			if named[p.TargetPort] != p.Port {
				t.Errorf("%s: port %d goes to %s, which is %d", svc.Metadata.Name, p.Port, p.TargetPort, named[p.TargetPort])
			}
		}
		if app := svc.Spec.Selector["app"]; app == "" || app != set.Spec.Template.Metadata.Labels["app"] {
			t.Errorf("%s selects %v", svc.Metadata.Name, svc.Spec.Selector)
		}
	}
	mounted := map[string]string{}
	for _, m := range c.VolumeMounts {
		mounted[m.Name] = m.MountPath
	}
	if !strings.HasPrefix(s.Messages, "bolt:"+mounted["data"]+"/") || !strings.HasPrefix(s.ClusterSecretFile, mounted["secret"]+"/") {
		t.Errorf("store %s and secret %s are not in %v", s.Messages, s.ClusterSecretFile, mounted)
	}
	leave := c.Lifecycle.PreStop.Exec.Command
	l := parsedCommand(t, leave[1:]).Cluster.Leave
	if leave[0] != "stormwheel" || leave[2] != "leave" || l.Admin != s.Admin {
		t.Errorf("it ends by %q", leave)
	}
	longest := 2*(s.DrainGrace+s.DrainWindow) + l.Timeout
	if grace := set.Spec.Template.Spec.TerminationGracePeriodSeconds; float64(grace) <= longest.Seconds() {
		t.Errorf("it is killed after %d s, and may take %v", grace, longest)
	}
}
