{{- define "ticketwatch.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "ticketwatch.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ticketwatch.labels" -}}
{{ include "ticketwatch.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "ticketwatch.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "ticketwatch.config" -}}
{{- .Values.config | default (.Files.Get "files/ticketwatch.yaml") }}
{{- end }}

{{/* What the file and the values must agree on; what else is wrong, the init container's check tells. */}}
{{- define "ticketwatch.agree" -}}
{{- $text := include "ticketwatch.config" . }}
{{- $file := fromYaml $text }}
{{- if $file.Error }}{{ fail (printf "config is no YAML: %s" $file.Error) }}{{ end }}
{{- $listen := printf ":%v" .Values.status.port }}
{{- if not (hasSuffix $listen (dig "status" "listen" "" $file)) }}
{{- fail (printf "config needs `status: {listen: \"0.0.0.0%s\"}` (status.port), else no probe can reach the pods" $listen) }}
{{- end }}
{{- if and (eq .Values.kind "StatefulSet") (not (hasKey (dig "kafka" "properties" dict $file) "group.instance.id")) }}
{{- fail "kind StatefulSet: config needs in kafka.properties `group.instance.id: \"${GROUP_INSTANCE_ID:-}\"`, else its members are not static" }}
{{- end }}
{{- if gt (int .Values.autoscaling.max) (int .Values.kafka.partitions) }}
{{- fail (printf "autoscaling.max: %v is more than kafka.partitions (%v): pods beyond it would have nothing to read" .Values.autoscaling.max .Values.kafka.partitions) }}
{{- end }}
{{- if gt (int .Values.autoscaling.min) (int .Values.autoscaling.max) }}
{{- fail "autoscaling.min is more than autoscaling.max" }}
{{- end }}
{{- end }}

{{/* An option of the file's section kafka, with ${NAME} of the values' environment put in. */}}
{{- define "ticketwatch.kafka" -}}
{{- $text := toString .text }}
{{- range $name, $value := merge (dict "KAFKA_BROKERS" .root.Values.kafka.brokers) .root.Values.env }}
{{- $text = $text | replace (printf "${%s}" $name) (toString $value) }}
{{- end }}
{{- if contains "${" $text }}{{ fail (printf "autoscaling.kind keda: '%s' of the config's section kafka needs its variables in `env`" $text) }}{{ end }}
{{- $text }}
{{- end }}
