{{/* The labels of what a chart makes: `include "service.labels" (list . COMPONENT)` */}}
{{- define "service.labels" -}}
app.kubernetes.io/name: {{ (index . 0).Chart.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* No pod runs as root. A number, since Kubernetes cannot tell who an image's user is that is only named. */}}
{{- define "service.pod-security" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "service.container-security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
