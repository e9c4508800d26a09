{{/*
The application, which Argo CD rolls out after the migration Jobs: `include "service.deployment" .`

Values: `secret`, the Secret that holds the databases' URLs; `application`: `image`, `replicas`, `port`, and `urls`, the keys of the
Secret that it gets as variables.
*/}}
{{- define "service.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Chart.Name }}
  labels:
    {{- include "service.labels" (list . "application") | nindent 4 }}
spec:
  replicas: {{ .Values.application.replicas }}
  selector:
    matchLabels:
      {{- include "service.labels" (list . "application") | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "service.labels" (list . "application") | nindent 8 }}
    spec:
      automountServiceAccountToken: false
      securityContext:
        {{- include "service.pod-security" . | nindent 8 }}
      containers:
        - name: application
          image: {{ required (printf "%s: application.image is missing" .Chart.Name) .Values.application.image }}
          ports:
            - name: http
              containerPort: {{ .Values.application.port }}
          env:
            - name: PORT
              value: {{ .Values.application.port | quote }}
            {{- range .Values.application.urls }}
            - name: {{ . }}
              valueFrom:
                secretKeyRef:
                  name: {{ $.Values.secret }}
                  key: {{ . }}
            {{- end }}
          readinessProbe:
            httpGet: {path: /health, port: http}
          resources:
            requests: {cpu: 100m, memory: 128Mi}
            limits: {memory: 512Mi}
          securityContext:
            {{- include "service.container-security" . | nindent 12 }}
{{- end }}
