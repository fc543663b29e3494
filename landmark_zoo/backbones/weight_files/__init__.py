"""Weight files of other frameworks, read with numpy alone: torch's two forms and safetensors."""
