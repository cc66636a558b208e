{{- define "ticketwatch.env" -}}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
{{- if eq .Values.kind "StatefulSet" }}
- {name: GROUP_INSTANCE_ID, value: "$(POD_NAME)"}
{{- end }}
- {name: KAFKA_BROKERS, value: {{ .Values.kafka.brokers | quote }}}
{{- with .Values.redis.url }}
- {name: REDIS_URL, value: {{ . | quote }}}
{{- end }}
- {name: TICKETWATCH_LOG, value: {{ .Values.logLevel }}}
{{- range $name, $value := .Values.env }}
- {name: {{ $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- end }}

{{- define "ticketwatch.mounts" -}}
- {name: config, mountPath: /etc/ticketwatch, readOnly: true}
{{- if or .Values.secrets.existing .Values.secrets.create }}
- {name: secrets, mountPath: /run/secrets, readOnly: true}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "ticketwatch.container" -}}
image: {{ include "ticketwatch.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  {{- include "ticketwatch.env" . | nindent 2 }}
{{- with .Values.envFromSecrets }}
envFrom:
  {{- range . }}
  - secretRef: {name: {{ . }}}
  {{- end }}
{{- end }}
resources: {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  {{- include "ticketwatch.mounts" . | nindent 2 }}
{{- end }}

{{- define "ticketwatch.pod" -}}
metadata:
  labels:
    {{- include "ticketwatch.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    checksum/config: {{ include "ticketwatch.config" . | sha256sum }}
    {{- with .Values.secrets.create }}
    checksum/secrets: {{ toJson . | sha256sum }}
    {{- end }}
    {{- with .Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ include "ticketwatch.name" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    seccompProfile: {type: RuntimeDefault}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpread }}
  topologySpreadConstraints:
    {{- range . }}
    - {{ merge (dict "labelSelector" (dict "matchLabels" (include "ticketwatch.selector" $ | fromYaml))) . | toYaml | nindent 6 | trim }}
    {{- end }}
  {{- end }}
  initContainers:
    - name: check
      args: [check, -c, /etc/ticketwatch/ticketwatch.yaml]
      {{- include "ticketwatch.container" . | nindent 6 }}
  containers:
    - name: ticketwatch
      args: [run, -c, /etc/ticketwatch/ticketwatch.yaml]
      ports:
        - {name: status, containerPort: {{ .Values.status.port }}}
      livenessProbe: {httpGet: {path: /healthz, port: status}, periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3}
      readinessProbe: {httpGet: {path: /readyz, port: status}, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2}
      startupProbe: {httpGet: {path: /healthz, port: status}, periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 60}
      {{- include "ticketwatch.container" . | nindent 6 }}
  volumes:
    - {name: config, configMap: {name: {{ include "ticketwatch.name" . }}}}
    {{- if or .Values.secrets.existing .Values.secrets.create }}
    - {name: secrets, secret: {secretName: {{ .Values.secrets.existing | default (include "ticketwatch.name" .) }}, defaultMode: 0440}}
    {{- end }}
    {{- with .Values.extraVolumes }}{{ toYaml . | nindent 4 }}{{ end }}
{{- end }}
