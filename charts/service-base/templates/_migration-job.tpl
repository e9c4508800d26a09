{{/*
One Job a database of the service, which Argo CD runs before it rolls out anything: `include "service.migration-job" .`

Values: `secret`, the Secret that holds the databases' URLs and must be there before the first sync; `migrations.image`, by digest;
`migrations.databases`, by name: `driver` (postgres or clickhouse), `url` (key of the Secret), `directory` (in the image), `table`.
*/}}
{{- define "service.migration-job" -}}
{{- $one := eq (len .Values.migrations.databases) 1 }}
{{- range $name, $database := .Values.migrations.databases }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $.Chart.Name }}-migrate{{ if not $one }}-{{ $name }}{{ end }}
  labels:
    {{- include "service.labels" (list $ "migrate") | nindent 4 }}
  annotations:
    argocd.argoproj.io/hook: PreSync
    argocd.argoproj.io/hook-delete-policy: BeforeHookCreation
spec:
  # A last net for a pod that never starts, not a limit on a migration.
  activeDeadlineSeconds: {{ $.Values.migrations.deadlineSeconds | default 21600 }}
  # A failed migration is looked at, never tried again blindly.
  backoffLimit: 0
  template:
    metadata:
      labels:
        {{- include "service.labels" (list $ "migrate") | nindent 8 }}
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      securityContext:
        {{- include "service.pod-security" $ | nindent 8 }}
      containers:
        - name: migrate
          image: {{ include "service.migrations-image" $ }}
          args: ["-env=none", "up"]
          env:
            - name: GOOSE_DRIVER
              value: {{ required (printf "%s: migrations.databases.%s.driver is missing" $.Chart.Name $name) $database.driver }}
            - name: GOOSE_DBSTRING
              valueFrom:
                secretKeyRef:
                  name: {{ required (printf "%s: secret is missing" $.Chart.Name) $.Values.secret }}
                  key: {{ required (printf "%s: migrations.databases.%s.url is missing" $.Chart.Name $name) $database.url }}
            - name: GOOSE_MIGRATION_DIR
              value: {{ $database.directory | default "/migrations" }}
            - name: GOOSE_TABLE
              value: {{ $database.table | default "goose_db_version" }}
          resources:
            requests: {cpu: 50m, memory: 64Mi}
            limits: {memory: 256Mi}
          securityContext:
            {{- include "service.container-security" $ | nindent 12 }}
{{- end }}
{{- end }}

{{/* The image of the migrations: nothing is deployed before one was promoted, nor by a tag that may move. */}}
{{- define "service.migrations-image" -}}
{{- $image := .Values.migrations.image }}
{{- if not $image }}
{{- fail (printf "%s: migrations.image is empty: no image of its migrations was promoted to this environment yet" .Chart.Name) }}
{{- else if not (regexMatch "^[^@[:space:]]+@sha256:[0-9a-f]{64}$" $image) }}
{{- fail (printf "%s: migrations.image is %q: name it by digest, REPOSITORY@sha256:DIGEST" .Chart.Name $image) }}
{{- end }}
{{- $image }}
{{- end }}
