"""One node of Kubernetes: etcd, API server, controllers, scheduler, and kubelet on a containerd of its own."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.cluster.asking import asked
from tools.toolchain.cluster import CNI

if TYPE_CHECKING:
    from tests.cluster.inside import Inside

__all__ = ["CONTEXT", "GATEWAY", "api_server", "containerd", "etcd", "facts", "keys", "ready", "rest"]

CONTEXT, NODE = "gander-tests", "127.0.0.1"
CGROUPS = Path("/sys/fs/cgroup")
SUBNET, GATEWAY = "10.88.0.0/16", "10.88.0.1"  # of the pods, in a network that nobody else has
ETCD, PEERS = "http://127.0.0.1:2379", "http://127.0.0.1:2380"


def keys(inside: Inside) -> None:
    """The authority of every certificate, the key of service accounts, the administrator's token, and a kubeconfig."""
    folder, run, port = inside.settings.folder, inside.settings.run, inside.settings.ports["kubernetes"]
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_pem.write_to_path(run / "server.key")
    (run / "server.pem").write_bytes(b"".join(one.bytes() for one in certificate.cert_chain_pems))
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    kinds = serialization.PrivateFormat.PKCS8, serialization.PublicFormat.SubjectPublicKeyInfo
    (run / "accounts.key").write_bytes(key.private_bytes(pem, kinds[0], no_password))
    (run / "accounts.pub").write_bytes(key.public_key().public_bytes(pem, kinds[1]))
    token = secrets.token_hex(16)
    (run / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    server = {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(folder / "authority.pem")}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": server}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": "admin", "namespace": "argocd"}}],
    }
    path = folder / "kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))


def etcd(inside: Inside) -> None:
    """Where the API server keeps everything."""
    listen = ["--listen-client-urls", ETCD, "--advertise-client-urls", ETCD, "--listen-peer-urls", PEERS]
    itself = ["--initial-advertise-peer-urls", PEERS, "--initial-cluster", f"default={PEERS}"]
    inside.start("etcd", ["etcd", "--data-dir", inside.settings.run / "etcd", *listen, *itself])


def api_server(inside: Inside) -> None:
    """The API server; ready when it says so."""
    run, port = inside.settings.run, inside.settings.ports["kubernetes"]
    inside.start(
        "kube-apiserver",
        [
            inside.settings.programs / "kube-apiserver",
            *(f"--etcd-servers={ETCD}", "--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.96.0.0/24"),
            *("--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--secure-port={port}"),
            *(f"--tls-cert-file={run / 'server.pem'}", f"--tls-private-key-file={run / 'server.key'}"),
            *(f"--token-auth-file={run / 'tokens.csv'}", "--authorization-mode=RBAC"),
            *("--service-account-issuer=https://kubernetes.default.svc", f"--cert-dir={run / 'apiserver'}"),
            f"--service-account-key-file={run / 'accounts.pub'}",
            f"--service-account-signing-key-file={run / 'accounts.key'}",
        ],
    )
    authority = inside.settings.folder / "authority.pem"
    inside.until("kube-apiserver", lambda: asked(f"https://127.0.0.1:{port}/readyz", authority))


def containerd(inside: Inside) -> None:
    """Runs containers; with a folder and socket of its own, beside the machine's."""
    run = inside.settings.run
    registry = f"127.0.0.1:{inside.settings.ports['registry']}"
    cri: dict[str, Any] = {
        "sandbox_image": f"{registry}/pod:1",
        "stream_server_address": "127.0.0.1",
        "restrict_oom_score_adj": True,  # root may lack CAP_SYS_RESOURCE: a pod may not be preferred then
        "cni": {"bin_dir": str(CNI), "conf_dir": str(run / "cni")},
    }
    lines = ["version = 2", f'root = "{run}/containerd/root"', f'state = "{run}/containerd/state"', "[grpc]"]
    lines += [f'address = "{run}/containerd.sock"', '[plugins."io.containerd.grpc.v1.cri"]']
    lines += [f"{name} = {json.dumps(value)}" for name, value in cri.items() if name != "cni"]
    lines += ['[plugins."io.containerd.grpc.v1.cri".cni]', *(f'{k} = "{v}"' for k, v in cri["cni"].items())]
    (run / "containerd.toml").write_text("\n".join(lines) + "\n")
    bridge = {
        "type": "bridge",
        "bridge": "pods",
        "isGateway": True,
        "ipam": {"type": "host-local", "dataDir": str(run / "addresses"), "ranges": [[{"subnet": SUBNET}]]},
    }
    (run / "cni").mkdir()
    network = {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}
    (run / "cni" / "pods.conflist").write_text(json.dumps(network))
    inside.start("containerd", ["containerd", "--config", run / "containerd.toml"])


def rest(inside: Inside) -> None:
    """The controllers, the scheduler and kubelet, none of which waits for another."""
    settings, run = inside.settings, inside.settings.run
    config = f"--kubeconfig={settings.folder / 'kubeconfig'}"
    common = [config, "--bind-address=127.0.0.1", "--leader-elect=false"]
    signed = [f"--service-account-private-key-file={run / 'accounts.key'}"]
    signed += [f"--flex-volume-plugin-dir={run / 'volumes'}"]
    signed += [f"--root-ca-file={settings.folder / 'authority.pem'}"]
    for name, more in (("kube-controller-manager", signed), ("kube-scheduler", [])):
        inside.start(name, [settings.programs / name, *common, *more])
    inside.until("containerd", (run / "containerd.sock").exists)
    _control_groups(settings.name)
    (run / "kubelet.json").write_text(json.dumps(_kubelet(run, settings.name)))
    folders = [f"--root-dir={run / 'kubelet'}", f"--cert-dir={run / 'kubelet' / 'pki'}"]
    options = [f"--config={run / 'kubelet.json'}", config, f"--hostname-override={NODE}", *folders]
    inside.start("kubelet", [settings.programs / "kubelet", *options])


def ready(inside: Inside) -> None:
    """Wait until the node takes pods."""
    path = '{.status.conditions[?(@.type=="Ready")].status}'
    node = ("get", "node", NODE, f"-o=jsonpath={path}", "--ignore-not-found")
    inside.until("kubelet", lambda: inside.kubectl(*node) == "True")
    account = ("get", "serviceaccount", "default", "--namespace=default", "--ignore-not-found")
    inside.until("kube-controller-manager", lambda: inside.kubectl(*account))


def facts(inside: Inside) -> dict[str, str]:
    """How to reach it."""
    return {"context": CONTEXT, "kubeconfig": str(inside.settings.folder / "kubeconfig")}


def _control_groups(name: str) -> None:
    """The group below which kubelet makes those of pods, in each hierarchy: nobody else's then look orphaned to it."""
    version_2 = (CGROUPS / "cgroup.controllers").exists()
    for root in (CGROUPS,) if version_2 else [one for one in CGROUPS.iterdir() if os.path.ismount(one)]:
        (root / name).mkdir(exist_ok=True)


def _kubelet(run: Path, group: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "127.0.0.1",
        "healthzBindAddress": "127.0.0.1",
        "readOnlyPort": 0,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": f"unix://{run}/containerd.sock",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{group}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        "resolvConf": "",
        "podLogsDir": str(run / "pods"),
        "volumePluginDir": str(run / "volumes"),
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
    }
